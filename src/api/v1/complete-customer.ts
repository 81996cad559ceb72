import { customerOrFault, isFault, type GivenCustomer } from "../../voucher/customer-schema.js";
import type { Customer } from "../../voucher/customer-segment.js";
import { Problem } from "../http/problems.js";

/**
 * The customer, with what the kind of segment that is asked for needs.
 * @param asOf the day that recency counts to.
 * @param place what the fields' names begin with in messages, as `body.3.`
 * @throws Problem impossible-request where the measure is missing, or the last order is later than `asOf`.
 */
export function completeCustomer(given: GivenCustomer, asOf: Date, place = ""): Customer {
  const customer = customerOrFault(given, asOf);
  if (!isFault(customer)) return customer;
  const field = `${place}${customer.field}`;
  const { message } = customer;
  throw new Problem("impossible-request", `${field} ${message}.`, [{ field, message }]);
}
