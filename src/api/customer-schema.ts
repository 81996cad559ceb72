import { z } from "zod";
import type { Customer } from "../voucher/customer.js";
import { SEGMENT_KINDS } from "../voucher/segments.js";
import { Problem } from "./problem.js";

const LARGEST_INTEGER = 2_147_483_647;
const MOMENT = /^(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))? ?(Z|[+-]\d{2}:?\d{2})?)?$/;

const moment = z.string("must be a text").transform((text, context) => {
  const read = readMoment(text.trim());
  if (read !== undefined) return read;
  context.addIssue({ code: "custom", message: "must be a moment that exists, as 2022-03-01 00:00:00" });
  return z.NEVER;
});

/** The original service took what Python's int() takes: a number, of which it kept the whole part, or digits as text. */
const orders = z
  .union([z.number(), z.string().regex(/^\s*\+?\d{1,15}\s*$/)], "must be a whole number, as 15")
  .transform((value) => Math.trunc(Number(value)))
  .pipe(
    z
      .int()
      .min(0, "must not be negative")
      .max(LARGEST_INTEGER, `must not be above ${LARGEST_INTEGER.toString()}`),
  );

/** The customer of `GET /voucher/most-used`. Other keys are let through, as the original service did. */
const customerSchema = z.object(
  {
    customer_id: z.union([z.string(), z.number()], "must be a text or a number"),
    country_code: z
      .union([z.string(), z.number()], "must be a text")
      .transform((value) => String(value).trim()),
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
  const parsed = customerSchema.safeParse(parseJson(parameter));
  if (parsed.success) return parsed.data;
  throw new Problem(
    "invalid-customer",
    "The fields listed under errors are missing or wrong.",
    parsed.error.issues.map(({ path, message, input }) => ({
      field: ["customer", ...path].join("."),
      message: input === undefined && path.length > 0 ? "is missing" : message,
    })),
  );
}

function parseJson(text: string): unknown {
  // The original service decoded the parameter a second time, so clients that encode it twice are answered, too.
  for (const candidate of [text, decodeOnceMore(text)]) {
    try {
      return JSON.parse(candidate);
    } catch {
      continue;
    }
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

function readMoment(text: string): Date | undefined {
  const match = MOMENT.exec(text);
  if (match === null) return undefined;
  const [, day = "", clock = "00:00:00", fraction = "0", offset = "Z"] = match;
  const local = `${day}T${clock}.${fraction.slice(0, 3).padEnd(3, "0")}`;
  const inUtc = new Date(`${local}Z`);
  // A day that does not exist would roll over into the next month.
  if (Number.isNaN(inUtc.getTime()) || inUtc.toISOString().slice(0, 23) !== local) return undefined;
  const moment = new Date(local + offset.replace(/^([+-]\d{2})(\d{2})$/, "$1:$2"));
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
