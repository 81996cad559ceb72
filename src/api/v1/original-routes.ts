import type { Response } from "express";
import * as z from "zod";
import { createSchema } from "zod-openapi";
import { fieldErrors } from "../../base/field-errors.js";
import { dayOf } from "../../voucher/customer-schema.js";
import type { Customer } from "../../voucher/customer-segment.js";
import { decide } from "../../voucher/decision.js";
import { documentedMoment, moment, trimmed } from "../../voucher/field-schemas.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { JSON_TYPE, maybeJson } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import { Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";

/** `GET /`, with the response of the original service. */
export function hello(): Operation {
  return operation({
    method: "get",
    path: "/",
    name: "sayHello",
    summary: "Confirms that the service is running",
    tag: "Original",
    query: z.looseObject({}),
    answers: {
      [JSON_TYPE]: { schema: z.object({ Hello: z.literal("World!!") }) },
      "text/html": {
        schema: z.string().meta({ description: "The page for people, if Accept prefers it" }),
      },
    },
    handle: (_input, _request, response) => {
      response.vary("Accept");
      response.json({ Hello: "World!!" });
    },
  });
}

/** `GET /voucher/most-used`, with the same bytes as the original service. */
export function mostUsedVoucher(services: Services): Operation {
  return operation({
    method: "get",
    path: "/voucher/most-used",
    name: "getOriginalMostUsedVoucher",
    summary: "The most used voucher of a customer's segment, as the original service answers",
    tag: "Original",
    documentedParameters: [
      {
        name: "customer",
        in: "query",
        required: true,
        description: "The customer, as JSON. Unknown keys are ignored.",
        content: { [JSON_TYPE]: { schema: createSchema(originalCustomerDocument, { io: "input" }).schema } },
      },
    ],
    answers: { [JSON_TYPE]: { schema: z.object({ voucher_amount: z.int().nullable() }) } },
    problems: ["invalid-customer", "no-publication"],
    isConditional: true,
    handle: async (_input, request, response) => {
      const customer = parseCustomer(request.query["customer"]);
      const answers = await services.store.newest();
      const now = services.now();
      tellPublication(response, services, answers.publication);
      if (isUnchanged(request, response, [answers.publication], dayOf(now))) return;
      const { voucherAmount } = decide(answers, customer, { asOf: now, fallback: "none", minAssignments: 1 });
      sendSmallJson(response, { voucher_amount: voucherAmount });
    },
  });
}

/** The same as Express's json(), but without its checks of types, charsets and tags: most requests come here. */
function sendSmallJson(response: Response, document: object): void {
  const text = JSON.stringify(document);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

const ORDERS_MESSAGE = "must be a whole number, for example 15";
/**
 * The original service accepted the inputs of Python's int(): a number, of which it kept the whole part, or digits as
 * text.
 */
const orders = z
  .union([z.number(), z.string().regex(/^\s*\+?\d{1,15}\s*$/, ORDERS_MESSAGE)], ORDERS_MESSAGE)
  .transform((value) => Math.trunc(Number(value)))
  .pipe(z.int(ORDERS_MESSAGE).min(0, "must not be negative"));

/** The customer of `GET /voucher/most-used`. Other keys are ignored, as in the original service. */
const customerSchema = z.object(
  {
    customer_id: z.union([z.string(), z.number()], "must be text or a number"),
    country_code: z
      .union([z.string(), z.number()], "must be text")
      .transform((value) => trimmed(String(value))),
    last_order_ts: moment,
    first_order_ts: moment,
    total_orders: orders,
    segment_name: z.enum(SEGMENT_KINDS, `must be ${SEGMENT_KINDS.join(" or ")}`),
  },
  "must be a JSON object",
);

/** The customer for OpenAPI: the fields that every client should send. The service accepts more, see docs/api.md. */
const originalCustomerDocument = z
  .looseObject({
    customer_id: z.union([z.string(), z.int()]),
    country_code: z.string(),
    last_order_ts: documentedMoment,
    first_order_ts: documentedMoment,
    total_orders: z.int().min(0).max(999_999_999_999_999),
    segment_name: z.enum(SEGMENT_KINDS),
  })
  .meta({ description: "A customer, as the original service accepted it" });

/**
 * Reads the query parameter `customer`: a JSON object.
 * @throws Problem invalid-customer that names every field at fault.
 */
function parseCustomer(parameter: unknown): Customer {
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
    "Some fields are missing or invalid. Fix the fields listed under errors.",
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
    {
      field: "customer",
      message: 'must be a JSON object, for example {"customer_id":123,"country_code":"Peru",…}',
    },
  ]);
}

function decodeOnceMore(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
