import { randomUUID } from "node:crypto";
import type { Request } from "express";

export const REQUEST_ID_HEADER = "X-Request-Id";

/** What goes into the log and into a header as it came: nothing that could end a line or a text there. */
const SANE = /^[A-Za-z0-9._-]{1,64}$/;

/** The name of a request: the one that it came with, or a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}
