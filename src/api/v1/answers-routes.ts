import { setImmediate as turn } from "node:timers/promises";
import type { Response } from "express";
import * as z from "zod";
import { certaintyTold } from "../../record/answers.js";
import { isCertainEnough } from "../../voucher/certainty.js";
import { countryCode, segmentName } from "../../voucher/customer-schema.js";
import type { Answers, PlacedCell } from "../../voucher/published-answers.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { CSV_TYPE, JSON_TYPE } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import type { Services } from "../http/services.js";
import { written } from "../http/streaming.js";
import { answerOptions, certaintyFields, publicationDocument, publicationSchema } from "./answer-schema.js";
import { escapeName, type CsvOptions, csvText } from "./csv-text.js";
import { tellDeprecated } from "./deprecations.js";
import { asksForCsv, formatName } from "./list-formats.js";
import { expectCertainty } from "./most-used-routes.js";

/** Few enough that other requests do not wait. */
const ROWS_PER_TURN = 1_000;

const count = z.int().min(0);

const rowSchema = z.object({
  country_code: z.string(),
  segment_name: z.enum(SEGMENT_KINDS),
  segment: z.string(),
  voucher_amount: z.int().meta({ description: "In whole currency units" }),
  assignments: count.meta({ description: "Vouchers of this amount in the country and segment" }),
  segment_assignments: count.meta({ description: "All vouchers of the country and segment" }),
  runner_up_amount: z.int().nullable().meta({ description: "null if no other amount is used" }),
  runner_up_assignments: count.nullable(),
  ...certaintyFields,
});
type Row = z.input<typeof rowSchema>;

const COLUMNS = Object.keys(rowSchema.shape) as (keyof Row)[];

const answersSchema = z
  .object({ publication: publicationSchema, answers: z.array(rowSchema) })
  .meta({ id: "Answers" });

const querySchema = z.strictObject({
  execution_date: answerOptions.execution_date,
  format: formatName.optional(),
  escape: escapeName.optional(),
  country_code: countryCode
    .optional()
    .meta({ description: "Only the answers of this country", example: undefined }),
  segment_name: segmentName.optional().meta({ description: "Only the answers of this kind of segment" }),
  min_assignments: answerOptions.min_assignments.meta({
    description: "Only segments with at least this many vouchers",
  }),
  min_certainty: answerOptions.min_certainty.meta({
    description: "Only answers that are at least this certain: a chance from 0 to 1, or sure, or likely",
  }),
});

/** `GET /v1/answers`: every answer of a publication. */
export function listAnswers(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/answers",
    name: "listAnswers",
    summary: "Every answer of a publication, as JSON or CSV",
    description:
      "One row for each country and segment of both kinds, by kind, country and the segments' order. There are no pages. " +
      "Clients that accept text/csv, or send format=csv, get CSV.",
    tag: "Vouchers",
    query: querySchema,
    answers: {
      [JSON_TYPE]: { schema: answersSchema },
      [CSV_TYPE]: { schema: z.string().meta({ description: "With a header line: the fields of a row" }) },
    },
    problems: ["unknown-publication", "no-certainty", "no-publication"],
    isConditional: true,
    handle: async ({ query }, request, response) => {
      const answers = await services.store.of(query.execution_date);
      if (query.min_certainty !== undefined) expectCertainty(answers);
      const { publication } = answers;
      tellPublication(response, services, publication);
      response.vary("Accept");
      const asCsv = asksForCsv(request, query.format);
      if (isUnchanged(request, response, [publication], asCsv ? "csv" : "json")) return;
      if (asCsv) await sendCsv(response, rowsOf(answers, query), query);
      else {
        tellDeprecated(response);
        await sendJson(response, answers, rowsOf(answers, query));
      }
    },
  });
}

async function sendCsv(response: Response, rows: Iterable<Row>, { escape }: CsvOptions): Promise<void> {
  response.type(CSV_TYPE).attachment("answers.csv");
  await written(response, csvText([COLUMNS]));
  for (const some of inParts(rows)) {
    const records = some.map((row) => COLUMNS.map((column) => row[column]));
    await written(response, csvText(records, { escape }));
    await turn();
  }
  response.end();
}

async function sendJson(response: Response, { publication }: Answers, rows: Iterable<Row>): Promise<void> {
  response.type(JSON_TYPE);
  await written(response, `{"publication":${JSON.stringify(publicationDocument(publication))},"answers":[`);
  let separator = "";
  for (const some of inParts(rows)) {
    await written(response, separator + some.map((row) => JSON.stringify(row)).join(","));
    separator = ",";
    await turn();
  }
  await written(response, "]}");
  response.end();
}

function* inParts(rows: Iterable<Row>): Generator<Row[]> {
  let part: Row[] = [];
  for (const row of rows) {
    if (part.push(row) < ROWS_PER_TURN) continue;
    yield part;
    part = [];
  }
  if (part.length > 0) yield part;
}

function* rowsOf(answers: Answers, query: z.output<typeof querySchema>): Generator<Row> {
  const { country_code, segment_name, min_assignments = 1, min_certainty } = query;
  for (const placed of answers.cellsInOrder({ kind: segment_name, countryCode: country_code })) {
    const { cell } = placed;
    if (cell.segmentAssignments < min_assignments) continue;
    if (min_certainty !== undefined && !isCertainEnough(cell.certainty, min_certainty)) continue;
    yield rowOf(placed);
  }
}

function rowOf({ countryCode: country_code, kind, segment, cell }: PlacedCell): Row {
  return {
    country_code,
    segment_name: kind,
    segment,
    voucher_amount: cell.voucherAmount,
    assignments: cell.assignments,
    segment_assignments: cell.segmentAssignments,
    runner_up_amount: cell.runnerUp?.voucherAmount ?? null,
    runner_up_assignments: cell.runnerUp?.assignments ?? null,
    ...certaintyTold(cell.certainty),
  };
}
