import type { Response } from "express";
import * as z from "zod";
import { createSchema } from "zod-openapi";
import { decide } from "../../voucher/decision.js";
import { JSON_TYPE } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import type { Services } from "../http/services.js";
import { dayOf } from "../schemas/customer.js";
import { originalCustomerDocument, parseCustomer } from "../schemas/original-customer.js";

/** `GET /`, as the original service answered it. */
export function hello(): Operation {
  return operation({
    method: "get",
    path: "/",
    name: "sayHello",
    summary: "Says that the service is there",
    tag: "Original",
    query: z.looseObject({}),
    answers: {
      [JSON_TYPE]: { schema: z.object({ Hello: z.literal("World!!") }) },
      "text/html": {
        schema: z.string().meta({ description: "The page for people, where Accept prefers it" }),
      },
    },
    handle: (_input, _request, response) => {
      response.vary("Accept");
      response.json({ Hello: "World!!" });
    },
  });
}

/** As Express's own json() would, without its looks for types, charsets and tags: this is what most requests are. */
function sendSmallJson(response: Response, document: object): void {
  const text = JSON.stringify(document);
  response.setHeader("Content-Type", "application/json; charset=utf-8");
  response.setHeader("Content-Length", Buffer.byteLength(text));
  response.end(text);
}

/** `GET /voucher/most-used`, as the original service answered it, to the byte. */
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
        description: "The customer, as JSON. Further keys do no harm.",
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
