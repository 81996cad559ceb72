import type { Request } from "express";

export const JSON_TYPE = "application/json";
export const CSV_TYPE = "text/csv";
export const NDJSON_TYPE = "application/x-ndjson";

/** The media type of a body, in lower case; undefined where it is said to be in anything but UTF-8. */
export function utf8TypeOf(request: Request): string | undefined {
  const [type = "", ...parameters] = (request.get("content-type") ?? "").toLowerCase().split(";");
  const charset = /^\s*charset="?([^"]*)"?\s*$/m.exec(parameters.join("\n"))?.[1] ?? "utf-8";
  return /^utf-?8$/.test(charset) ? type.trim() : undefined;
}
