import type { Request, Response } from "express";
import { CSV_TYPE, JSON_TYPE, NDJSON_TYPE } from "../http/bodies.js";
import type { PricedLine, PriceSummary } from "../schemas/price.js";
import type { LinesType } from "./formats.js";
import { PRICED_CSV_HEADER, pricedCsv } from "./priced-csv.js";

/** The trailer field that has the totals of an answer of CSV. */
export const SUMMARY_TRAILER = "Price-Summary";
/** A client may refuse fields that are longer. */
const MAX_TRAILER_BYTES = 8_000;

/** How lines and totals are written. */
export interface AnswerFormat {
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
