import type { Request } from "express";
import * as z from "zod";
import { CSV_TYPE, JSON_TYPE } from "../http/bodies.js";
import { Problem } from "../http/problems.js";

/** The format of a list in a query. */
export const formatName = z
  .enum(["json", "csv"], "must be json or csv")
  .meta({ description: "The format; by default, the service uses Accept" });

/** Whether the response is CSV: by the query or, if it has no format, by Accept. */
export function asksForCsv(request: Request, format: z.output<typeof formatName> | undefined): boolean {
  if (format !== undefined) return format === "csv";
  return request.accepts([JSON_TYPE, CSV_TYPE]) === CSV_TYPE;
}

/** The texts for all lists with pages. */
export const AFTER = "The value of `next` on the previous page";
export const NEXT = "Send it as after=… to get the next page; null on the last page";

/** The message for a cursor that no page has given. */
export const CURSOR_MESSAGE = "must be the value of `next` on the previous page";

/** A cursor that no page has given. */
export function malformedCursor(): Problem {
  return new Problem("invalid-request", "The cursor is invalid.", [
    { field: "after", message: CURSOR_MESSAGE },
  ]);
}
