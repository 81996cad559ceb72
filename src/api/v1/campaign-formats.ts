import type { Request, Response } from "express";
import type * as z from "zod";
import { customerBody, customerTexts } from "../../voucher/customer-schema.js";
import { customersOfCsv, MAX_LINE_BYTES, UnreadableCsv } from "../../voucher/customers-csv.js";
import type { SegmentKind } from "../../voucher/segment-rules.js";
import { CSV_TYPE, JSON_TYPE, maybeJson, NDJSON_TYPE, utf8TypeOf } from "../http/bodies.js";
import { Problem } from "../http/problems.js";
import { lineTooLong, unreadable } from "../http/streaming.js";
import type { PricedLine, PriceSummary } from "./campaign-schema.js";
import { PRICED_CSV_HEADER, pricedCsv } from "./priced-csv.js";

type LinesType = typeof CSV_TYPE | typeof NDJSON_TYPE;

/** How a file of customers is read. */
export interface Format {
  readonly schema: z.ZodType<z.output<typeof customerTexts>> | typeof customerBody;
  /**
   * The lines of a file, some at a time. A line without a customer is undefined.
   * @param segmentName of the lines that name none.
   * @throws Problem where the file cannot be read on. Everything before is valid.
   */
  readonly lines: (
    texts: AsyncIterable<string>,
    segmentName: SegmentKind | undefined,
  ) => AsyncGenerator<unknown[]>;
}

export const FORMATS: Readonly<Record<LinesType, Format>> = {
  [CSV_TYPE]: { schema: customerTexts, lines: csvLines },
  [NDJSON_TYPE]: { schema: customerBody, lines: ndjsonLines },
};

/**
 * The format of a body.
 * @throws Problem unsupported-media-type
 */
export function typeOfBody(request: Request): LinesType {
  const type = utf8TypeOf(request);
  const found = ([CSV_TYPE, NDJSON_TYPE] as const).find((known) => known === type);
  if (found !== undefined) return found;
  throw new Problem("unsupported-media-type", `Send the body as ${CSV_TYPE} or ${NDJSON_TYPE}, in UTF-8.`);
}

/** The format of the answer: that of the body, unless the client asks for the other one. */
export function typeOfAnswer(request: Request, ofBody: LinesType): LinesType {
  const other = ofBody === CSV_TYPE ? NDJSON_TYPE : CSV_TYPE;
  return request.accepts([ofBody, other]) === other ? other : ofBody;
}

/** @throws Problem where the header lacks columns, or the CSV cannot be read on. */
async function* csvLines(
  texts: AsyncIterable<string>,
  segmentName: SegmentKind | undefined,
): AsyncGenerator<unknown[]> {
  try {
    yield* customersOfCsv(texts, segmentName);
  } catch (error) {
    if (!(error instanceof UnreadableCsv)) throw error;
    throw error.columns.length > 0
      ? new Problem("invalid-request", `The ${error.message}.`, error.columns)
      : unreadable(error.message);
  }
}

/**
 * The values of NDJSON, those of some lines at a time. Blank lines do not count.
 * @throws Problem where a line is too long.
 */
async function* ndjsonLines(texts: AsyncIterable<string>): AsyncGenerator<unknown[]> {
  for await (const lines of linesOf(texts)) {
    const longLine = lines.findIndex(isTooLong);
    const readable = longLine === -1 ? lines : lines.slice(0, longLine);
    yield readable.filter((line) => line.trim() !== "").map(maybeJson);
    if (longLine !== -1) throw lineTooLong();
  }
}

async function* linesOf(texts: AsyncIterable<string>): AsyncGenerator<string[]> {
  let rest = "";
  for await (const text of texts) {
    const end = text.lastIndexOf("\n");
    if (end !== -1) yield (rest + text.slice(0, end)).split("\n");
    rest = end === -1 ? rest + text : text.slice(end + 1);
    if (rest.length > MAX_LINE_BYTES) throw lineTooLong();
  }
  yield [rest];
}

function isTooLong(line: string): boolean {
  return Buffer.byteLength(line) > MAX_LINE_BYTES;
}

/** The trailer field that has the totals of an answer of CSV. */
export const SUMMARY_TRAILER = "Price-Summary";
/** A client may refuse fields that are longer. */
const MAX_TRAILER_BYTES = 8_000;

/** How lines and totals are written. */
interface AnswerFormat {
  /** Sets headers, just before anything is sent; the text that comes first. */
  open(request: Request, response: Response): string;
  lines(priced: readonly PricedLine[]): string;
  /** The text that comes last. */
  close(response: Response, summary: PriceSummary): string;
}

const CSV: AnswerFormat = {
  open: (request, response) => {
    response.type(CSV_TYPE);
    // Trailers are of chunks, which HTTP/1.0 does not have.
    if (request.httpVersion !== "1.0") response.setHeader("Trailer", SUMMARY_TRAILER);
    return PRICED_CSV_HEADER;
  },
  lines: pricedCsv,
  close: (response, summary) => {
    response.addTrailers({ [SUMMARY_TRAILER]: trailerOf(summary) });
    return "";
  },
};

const NDJSON: AnswerFormat = {
  open: (_request, response) => {
    response.type(NDJSON_TYPE);
    return "";
  },
  lines: (priced) => priced.map((line) => `${JSON.stringify(line)}\n`).join(""),
  close: (_response, summary) => `${JSON.stringify({ summary })}\n`,
};

/** The totals alone. */
export const SUMMARY: AnswerFormat = {
  open: (_request, response) => {
    response.type(JSON_TYPE);
    return "";
  },
  lines: () => "",
  close: (_response, summary) => JSON.stringify({ summary }),
};

export const ANSWER_FORMATS: Readonly<Record<LinesType, AnswerFormat>> = {
  [CSV_TYPE]: CSV,
  [NDJSON_TYPE]: NDJSON,
};

function trailerOf(summary: PriceSummary): string {
  const whole = asciiJson(summary);
  if (whole.length <= MAX_TRAILER_BYTES) return whole;
  return asciiJson({ ...summary, groups: undefined, groups_omitted: true });
}

/** JSON as a field of HTTP can have it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
