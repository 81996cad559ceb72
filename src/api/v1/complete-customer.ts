import { customerOrFault, isFault, type GivenCustomer } from "../../voucher/customer-schema.js";
import type { Customer } from "../../voucher/customer-segment.js";
import { Problem } from "../http/problems.js";

/**
 * The customer, with the measure for its kind of segment.
 * @param asOf the day that recency counts to.
 * @param place the start of the fields' names in messages, for example `body.3.`
 * @throws Problem impossible-request where the measure is missing, or the last order is later than `asOf`.
 */
export function completeCustomer(given: GivenCustomer, asOf: Date, place = ""): Customer {
  const customer = customerOrFault(given, asOf);
  if (!isFault(customer)) return customer;
  const field = `${place}${customer.field}`;
  const { message } = customer;
  throw new Problem("impossible-request", `${field} ${message}.`, [{ field, message }]);
}
