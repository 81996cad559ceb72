import { setImmediate as turn } from "node:timers/promises";
import * as z from "zod";
import { segmentName } from "../../voucher/customer-schema.js";
import { MAX_LINE_BYTES } from "../../voucher/customers-csv.js";
import { flagText } from "../../voucher/field-schemas.js";
import { CSV_TYPE, JSON_TYPE, NDJSON_TYPE } from "../http/bodies.js";
import { tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import type { Services } from "../http/services.js";
import { textOf, written } from "../http/streaming.js";
import { answerOptions } from "./answer-schema.js";
import {
  ANSWER_FORMATS,
  FORMATS,
  SUMMARY,
  SUMMARY_TRAILER,
  typeOfAnswer,
  typeOfBody,
} from "./campaign-formats.js";
import { priced, Totals } from "./campaign-lines.js";
import { pricedLineSchema, priceSummarySchema } from "./campaign-schema.js";
import { ANSWER_PROBLEMS, answersFor, decisionOptions } from "./most-used-routes.js";
import { UnknownCountries } from "./unknown-countries.js";

/** A client that neither sends nor reads for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
/** Few enough that other requests do not wait, even where every line is at fault. */
const LINES_PER_TURN = 256;

const summaryDocument = z.object({ summary: priceSummarySchema });

/** `POST /v1/campaigns/price`: a file of customers, answered line by line as it comes. */
export function priceCampaign(services: Services, idleMilliseconds = IDLE_MILLISECONDS): Operation {
  return operation({
    method: "post",
    path: "/v1/campaigns/price",
    name: "priceCampaign",
    summary: "The vouchers of a file of customers, line by line, and what they come to",
    description:
      "A file of any length is answered while it comes, so read the answer while you send. A line at fault is answered " +
      "with what is wrong with it. Where the file cannot be read on after something was sent, the connection breaks off. " +
      `The totals are the last line of NDJSON, and for CSV the trailer field ${SUMMARY_TRAILER}. The answer has the ` +
      "format of the file, unless Accept asks for the other one.",
    tag: "Campaigns",
    query: z
      .strictObject(answerOptions)
      .omit({ explain: true })
      .extend({
        segment_name: segmentName
          .optional()
          .meta({ description: "The kind of segment of the lines that name none" }),
        summary: flagText.optional().meta({ description: "true: the totals alone, as JSON" }),
      }),
    stream: {
      [CSV_TYPE]: {
        schema: z.string().meta({
          description:
            "In UTF-8, with a header line: country_code, segment_name, total_orders, last_order_ts and, if you like, " +
            `customer_id, in any order. Further columns do not count. A line has up to ${MAX_LINE_BYTES} bytes.`,
        }),
      },
      [NDJSON_TYPE]: {
        schema: z.string().meta({
          description: `In UTF-8, a Customer a line. A line has up to ${MAX_LINE_BYTES} bytes.`,
        }),
      },
    },
    answers: {
      [CSV_TYPE]: {
        schema: z.string().meta({ description: "With a header line: the fields of PricedLine" }),
      },
      [NDJSON_TYPE]: { schema: z.union([pricedLineSchema, summaryDocument]) },
      [JSON_TYPE]: { schema: summaryDocument },
    },
    problems: ANSWER_PROBLEMS,
    handle: async ({ query }, request, response) => {
      const type = typeOfBody(request);
      const text = textOf(request, response, idleMilliseconds);
      const answers = await answersFor(services, query);
      tellPublication(response, services, answers.publication);
      response.set("Cache-Control", "no-store").vary("Accept");

      const given = FORMATS[type];
      const format = query.summary === true ? SUMMARY : ANSWER_FORMATS[typeOfAnswer(request, type)];
      const pricing = {
        schema: given.schema,
        answers,
        options: decisionOptions(query, services.now()),
        segmentName: query.segment_name,
        unknown: new UnknownCountries(answers),
      };
      // What comes first is sent with what comes after it: until then a fault can be a problem document.
      const opening = () => (response.headersSent ? "" : format.open(request, response));
      const totals = new Totals(answers);
      let line = 0;
      for await (const some of inTurns(given.lines(text, query.segment_name))) {
        const answered = some.map((customer) => priced(++line, customer, pricing));
        for (const one of answered) totals.add(one);
        const lines = format.lines(answered);
        if (lines !== "") await written(response, opening() + lines);
      }
      await written(response, opening() + format.close(response, totals.summary));
      response.end();
    },
  });
}

/** Some at a time, between which other requests have their turn. */
async function* inTurns(lines: AsyncIterable<unknown[]>): AsyncGenerator<unknown[]> {
  for await (const many of lines) {
    for (let start = 0; start < many.length; start += LINES_PER_TURN) {
      yield many.slice(start, start + LINES_PER_TURN);
      await turn();
    }
  }
}
