import * as z from "zod";
import type { FieldError } from "../base/field-errors.js";
import type { Customer } from "./customer-segment.js";
import { documentedMoment, trimmed, wholeNumberText } from "./field-schemas.js";
import { calendarDays } from "./moment.js";
import { SEGMENT_KINDS } from "./segment-rules.js";

const MAX_ORDERS = 2_147_483_647;
/** The longest name of a country in the contract, in code points. */
const MAX_COUNTRY_LENGTH = 64;
const MAX_ID_LENGTH = 256;

/** The country of a customer. */
export const countryCode = z
  .string("must be a text")
  .regex(/[^ \t\n\v\f\r]/, "must not be blank")
  .transform(trimmed)
  .refine(
    (text) => Array.from(text).length <= MAX_COUNTRY_LENGTH,
    `must have up to ${MAX_COUNTRY_LENGTH} characters`,
  )
  .meta({
    description: "The country, as the vouchers name it; blanks around it do not count",
    example: "Peru",
    override: { type: "string", minLength: 1, maxLength: MAX_COUNTRY_LENGTH, pattern: "[^ \\t\\n\\v\\f\\r]" },
  });

/** The kind of segment to answer by. */
export const segmentName = z
  .enum(SEGMENT_KINDS, `must be ${SEGMENT_KINDS.join(" or ")}`)
  .meta({ description: "The kind of segment to answer by" });

const ORDERS_MESSAGE = `must be a whole number from 0 to ${MAX_ORDERS.toString()}`;
const totalOrders = z
  .int(ORDERS_MESSAGE)
  .min(0, ORDERS_MESSAGE)
  .max(MAX_ORDERS, ORDERS_MESSAGE)
  .meta({ description: "The customer's number of orders; needed for frequent_segment", example: 15 });

const lastOrder = documentedMoment.meta({
  description: "The customer's last order, in UTC unless it says an offset; needed for recency_segment",
  example: "2020-04-20T00:00:00Z",
});

/** The customer of `/v1`, by the parameters of a query. */
export const customerQuery = z.strictObject({
  country_code: countryCode,
  segment_name: segmentName,
  total_orders: wholeNumberText(0, MAX_ORDERS)
    .meta({ description: "The customer's number of orders; needed for frequent_segment", example: 15 })
    .optional(),
  last_order_ts: lastOrder.optional(),
});

/** A whole number in a row of CSV, as raw data has it: `12`, `12.0`, `+12`. */
const wholeNumberCell = z
  .string(ORDERS_MESSAGE)
  .regex(/^\+?\d{1,300}(\.0{0,300})?$/, ORDERS_MESSAGE)
  .transform(Number)
  .refine((number) => number <= MAX_ORDERS, ORDERS_MESSAGE);

/** The customer of a campaign in a row of CSV: texts without blanks around them, of which those that are empty are left out. */
export const customerTexts = z.object({ ...customerQuery.shape, total_orders: wholeNumberCell.optional() });

/** The customer of `/v1` in a body. It takes the customer of the original route, too. */
export const customerBody = z
  .strictObject(
    {
      customer_id: z
        .union(
          [z.string().max(MAX_ID_LENGTH), z.int()],
          `must be a text of up to ${MAX_ID_LENGTH.toString()} characters or a whole number`,
        )
        .optional()
        .meta({ description: "Comes back with the answer" }),
      country_code: countryCode,
      segment_name: segmentName,
      total_orders: totalOrders.optional(),
      last_order_ts: lastOrder.optional(),
      first_order_ts: documentedMoment.optional().meta({ description: "Not needed" }),
    },
    "must be a JSON object",
  )
  .meta({ id: "Customer" });

/** The customer of a campaign in a line of NDJSON. It may have other fields, of any kind. */
export const customerFields = customerBody
  .pick({ country_code: true, segment_name: true, total_orders: true, last_order_ts: true })
  .strip();

/** A customer of whom it is not yet sure that the measure that is needed was given. */
export type GivenCustomer = Pick<
  z.output<typeof customerBody>,
  "country_code" | "segment_name" | "total_orders" | "last_order_ts"
>;

/**
 * The customer, with the measure for its kind of segment. It is a fault if the measure is missing, or the last order is later than
 * `asOf`.
 * @param asOf the day that recency counts to.
 */
export function customerOrFault(given: GivenCustomer, asOf: Date): Customer | FieldError {
  const { country_code, segment_name, total_orders, last_order_ts } = given;
  const needed = segment_name === "frequent_segment" ? "total_orders" : "last_order_ts";
  if (given[needed] === undefined) return { field: needed, message: `is needed for ${segment_name}` };
  if (last_order_ts !== undefined && calendarDays(last_order_ts, asOf) < 0)
    return { field: "last_order_ts", message: `must not be later than as_of, which is ${dayOf(asOf)}` };
  return {
    country_code,
    segment_name,
    total_orders: total_orders ?? 0,
    last_order_ts: last_order_ts ?? asOf,
  };
}

/** Whether a customer could not be completed. */
export function isFault(customer: Customer | FieldError): customer is FieldError {
  return "message" in customer;
}

/** The day of a moment, in UTC: `2020-05-29`. */
export function dayOf(moment: Date): string {
  return moment.toISOString().slice(0, 10);
}
