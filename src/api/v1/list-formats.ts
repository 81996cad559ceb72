import type { Request } from "express";
import * as z from "zod";
import { CSV_TYPE, JSON_TYPE } from "../http/bodies.js";
import { Problem } from "../http/problems.js";

/** The format of a list, as a query names it. */
export const formatName = z
  .enum(["json", "csv"], "must be json or csv")
  .meta({ description: "The format; that of Accept unless given" });

/** Whether a list is to be sent as CSV: by the query or, if that says nothing, by Accept. */
export function asksForCsv(request: Request, format: z.output<typeof formatName> | undefined): boolean {
  if (format !== undefined) return format === "csv";
  return request.accepts([JSON_TYPE, CSV_TYPE]) === CSV_TYPE;
}

/** How lists are read page by page, everywhere. */
export const AFTER = "What `next` said on the page before";
export const NEXT = "Ask with after=… for those that follow; null if there are no more";

/** What is wrong with a cursor that no page has given. */
export const CURSOR_MESSAGE = "must be what `next` said on the page before";

/** A cursor that no page has given. */
export function malformedCursor(): Problem {
  return new Problem("invalid-request", "The cursor cannot be read.", [
    { field: "after", message: CURSOR_MESSAGE },
  ]);
}
