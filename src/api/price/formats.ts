import type { Request } from "express";
import type * as z from "zod";
import type { SegmentKind } from "../../voucher/segments.js";
import { CSV_TYPE, NDJSON_TYPE, utf8TypeOf } from "../http/bodies.js";
import { Problem } from "../http/problems.js";
import { customerBody, customerTexts } from "../schemas/customer.js";
import { csvLines } from "./csv-lines.js";
import { ndjsonLines } from "./ndjson-lines.js";

export type LinesType = typeof CSV_TYPE | typeof NDJSON_TYPE;

/** How a file of customers is read. */
export interface Format {
  readonly schema: z.ZodType<z.output<typeof customerTexts>> | typeof customerBody;
  /**
   * The lines of a file, some at a time. What is no customer at all is undefined.
   * @param segmentName of the lines that name none.
   * @throws Problem where the file cannot be read on. What came before is good.
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
