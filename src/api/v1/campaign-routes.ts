import type { Request } from "express";
import * as z from "zod";
import { segmentName } from "../../voucher/customer-schema.js";
import { flagText } from "../../voucher/field-schemas.js";
import { type Charset, CHARSETS, FileLines, MAX_LINE_BYTES } from "../../voucher/file-lines.js";
import { CSV_TYPE, JSON_TYPE, NDJSON_TYPE, typeOf } from "../http/bodies.js";
import { logFault, problemOf } from "../http/error-answers.js";
import { tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import { Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { bytesOf, ClientGone, written } from "../http/streaming.js";
import { answerOptions } from "./answer-schema.js";
import { ANSWER_FORMATS, CsvFile, type FileType, NdjsonFile, SUMMARY_TRAILER } from "./campaign-formats.js";
import { FilePricing } from "./campaign-lines.js";
import { pricedLineSchema, priceSummarySchema } from "./campaign-schema.js";
import { escapeName } from "./csv-text.js";
import { ANSWER_PROBLEMS, answersFor, decisionOptions } from "./most-used-routes.js";

/** A client that neither sends nor reads for so long is given up. */
const IDLE_MILLISECONDS = 30_000;
/** How the lines of a campaign are answered, as a query has it. */
export const campaignOptions = z
  .strictObject(answerOptions)
  .omit({ explain: true })
  .extend({
    segment_name: segmentName
      .optional()
      .meta({ description: "The kind of segment of the lines that name none" }),
    escape: escapeName.optional(),
  });

const summaryDocument = z.object({ summary: priceSummarySchema });

/** `POST /v1/campaigns/price`: a file of customers, answered line by line as it comes. */
export function priceCampaign(services: Services, idleMilliseconds = IDLE_MILLISECONDS): Operation {
  return operation({
    method: "post",
    path: "/v1/campaigns/price",
    name: "priceCampaign",
    summary: "The vouchers of a file of customers, line by line, with their totals",
    description:
      "A file of any length is answered while it comes, so read the answer while you send. Each line comes back with all its " +
      "columns, and with those of the result. A line at fault is answered with its fault. If the rest of the file cannot be " +
      "read after something was sent, the last line has the reason. The totals are the last line of NDJSON, and for CSV the " +
      `trailer field ${SUMMARY_TRAILER}. The answer has the format of the file. CSV is answered in NDJSON if Accept asks for it.`,
    tag: "Campaigns",
    query: campaignOptions.extend({
      summary: flagText.optional().meta({ description: "true: the totals alone, as JSON" }),
    }),
    stream: {
      [CSV_TYPE]: {
        schema: z.string().meta({
          description:
            "In UTF-8, or with charset=windows-1252, with a header line: country_code, segment_name, total_orders and " +
            "last_order_ts, in any order, separated by commas, semicolons or tabs. Further columns come back as they are. " +
            `A line has up to ${MAX_LINE_BYTES.toString()} bytes.`,
        }),
      },
      [NDJSON_TYPE]: {
        schema: z.string().meta({
          description: `In UTF-8, a Customer a line. A line has up to ${MAX_LINE_BYTES.toString()} bytes.`,
        }),
      },
    },
    answers: {
      [CSV_TYPE]: {
        schema: z.string().meta({ description: "The file, and the fields of PricedLine as further columns" }),
      },
      [NDJSON_TYPE]: { schema: z.union([pricedLineSchema, summaryDocument]) },
      [JSON_TYPE]: { schema: summaryDocument },
    },
    problems: ANSWER_PROBLEMS,
    handle: async ({ query }, request, response) => {
      const { type, charset } = bodyOf(request);
      const bytes = bytesOf(request, response, idleMilliseconds);
      const answers = await answersFor(services, query);
      tellPublication(response, services, answers.publication);
      response.set("Cache-Control", "no-store").vary("Accept");

      const answer =
        type === CSV_TYPE && request.accepts([CSV_TYPE, NDJSON_TYPE]) === NDJSON_TYPE ? NDJSON_TYPE : type;
      const lines = new FileLines(bytes, charset);
      const { segment_name: segmentName, escape } = query;
      const pricing = new FilePricing(
        type === CSV_TYPE ? new CsvFile(lines, { segmentName, escape, answer }) : new NdjsonFile(lines),
        { answers, options: decisionOptions(query, services.now()), segmentName },
      );
      const format = ANSWER_FORMATS[query.summary === true ? JSON_TYPE : answer];
      // The opening is sent with the first lines. Until then a fault can be a problem document.
      const send = (text: string) => {
        if (text !== "" && !response.headersSent) format.open(request, response);
        return written(response, text);
      };
      try {
        for await (const { text } of pricing.parts()) if (query.summary !== true) await send(text);
      } catch (error) {
        if (error instanceof ClientGone || !response.headersSent) throw error;
        const problem = problemOf(error);
        logFault(request, problem, error);
        await send(pricing.endWith(problem));
      }
      await send(format.close(response, pricing.summary));
      if (!response.headersSent) format.open(request, response);
      // The client knows why nothing more is read, and need not send more.
      response.once("finish", () => {
        if (!request.complete) request.socket.destroySoon();
      });
      response.end();
    },
  });
}

/**
 * The format of a body.
 * @throws Problem unsupported-media-type
 */
function bodyOf(request: Request): { readonly type: FileType; readonly charset: Charset } {
  const { type, charset } = typeOf(request);
  const knownType = ([CSV_TYPE, NDJSON_TYPE] as const).find((known) => known === type);
  const knownCharset = CHARSETS.find((known) => known === charset);
  const isKnown = knownType === CSV_TYPE || knownCharset === "utf-8";
  if (knownType !== undefined && knownCharset !== undefined && isKnown)
    return { type: knownType, charset: knownCharset };
  throw new Problem(
    "unsupported-media-type",
    `Send the body as ${CSV_TYPE} or ${NDJSON_TYPE}, in UTF-8. ${CSV_TYPE} can also be in windows-1252.`,
  );
}
