import * as z from "zod";
import type { Customer } from "../../voucher/customer.js";
import { SEGMENT_KINDS } from "../../voucher/segments.js";
import { maybeJson } from "../http/bodies.js";
import { fieldErrors, Problem } from "../http/problems.js";
import { documentedMoment, moment, trimmed } from "./fields.js";

const ORDERS_MESSAGE = "must be a whole number, as 15";
/** The original service took what Python's int() takes: a number, of which it kept the whole part, or digits as text. */
const orders = z
  .union([z.number(), z.string().regex(/^\s*\+?\d{1,15}\s*$/, ORDERS_MESSAGE)], ORDERS_MESSAGE)
  .transform((value) => Math.trunc(Number(value)))
  .pipe(z.int(ORDERS_MESSAGE).min(0, "must not be negative"));

/** The customer of `GET /voucher/most-used`. Other keys are let through, as the original service did. */
const customerSchema = z.object(
  {
    customer_id: z.union([z.string(), z.number()], "must be a text or a number"),
    country_code: z
      .union([z.string(), z.number()], "must be a text")
      .transform((value) => trimmed(String(value))),
    last_order_ts: moment,
    first_order_ts: moment,
    total_orders: orders,
    segment_name: z.enum(SEGMENT_KINDS, `must be ${SEGMENT_KINDS.join(" or ")}`),
  },
  "must be a JSON object",
);

/**
 * Reads the query parameter `customer`: a JSON object.
 * @throws Problem invalid-customer that names every field at fault.
 */
export function parseCustomer(parameter: unknown): Customer {
  if (typeof parameter !== "string") {
    const message = parameter === undefined ? "is missing" : "must be given once";
    throw new Problem("invalid-customer", "Give the customer as JSON in the query parameter customer.", [
      { field: "customer", message },
    ]);
  }
  const parsed = customerSchema.safeParse(parseJson(parameter), { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new Problem(
    "invalid-customer",
    "The fields listed under errors are missing or wrong.",
    fieldErrors(parsed.error.issues, "customer"),
  );
}

function parseJson(text: string): unknown {
  // The original service decoded the parameter a second time, so clients that encode it twice are answered, too.
  for (const candidate of [text, decodeOnceMore(text)]) {
    const value = maybeJson(candidate);
    if (value !== undefined) return value;
  }
  throw new Problem("invalid-customer", "Give the customer as JSON in the query parameter customer.", [
    { field: "customer", message: 'must be a JSON object, as {"customer_id":123,"country_code":"Peru",…}' },
  ]);
}

function decodeOnceMore(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** The customer as OpenAPI describes it: what every client should send. More is taken, see docs/api.md. */
export const originalCustomerDocument = z
  .looseObject({
    customer_id: z.union([z.string(), z.int()]),
    country_code: z.string(),
    last_order_ts: documentedMoment,
    first_order_ts: documentedMoment,
    total_orders: z.int().min(0).max(999_999_999_999_999),
    segment_name: z.enum(SEGMENT_KINDS),
  })
  .meta({ description: "A customer, as the original service took it" });
