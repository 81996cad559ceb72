import type { RequestHandler } from "express";
import { Problem } from "./problem.js";

/** A percent sign that does not stand for ASCII. Most addresses have none; bytes that are no ASCII Node refuses itself. */
const IN_DOUBT = /%(?![0-7][0-9a-f])/i;

/**
 * Refuses two hosts, of which a proxy may have taken the other one, and parameters that are no UTF-8 or not percent-encoded: they would
 * be read as another country, and answered.
 */
export const expectReadableAddress: RequestHandler = (request, _response, next) => {
  if ((request.headersDistinct["host"]?.length ?? 0) > 1)
    throw new Problem("invalid-request", "The request has more than one Host header.");
  const [, query = ""] = /\?(.*)/s.exec(request.url) ?? [];
  const faults = IN_DOUBT.test(query) ? query.split("&").filter((parameter) => !isReadable(parameter)) : [];
  if (faults.length === 0) {
    next();
    return;
  }
  throw new Problem(
    "invalid-request",
    "A parameter cannot be decoded.",
    faults.map((parameter) => ({
      field: /^[a-z_]+/.exec(parameter)?.[0] ?? "query",
      message: "must be UTF-8, percent-encoded",
    })),
  );
};

function isReadable(parameter: string): boolean {
  try {
    decodeURIComponent(parameter);
    return true;
  } catch {
    return false;
  }
}
