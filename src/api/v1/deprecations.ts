import type { Response } from "express";

/** The start of the deprecation: 1 December 2026, in the form of RFC 9745. */
const SINCE = "@1796083200";
/** The date after which the fields may be removed, in the form of RFC 8594. */
const UNTIL = "Tue, 01 Jun 2027 00:00:00 GMT";

/**
 * Sets the headers for a deprecated field of the response, or a deprecated parameter. The OpenAPI document marks
 * them, and docs/api.md names the replacements.
 */
export function tellDeprecated(response: Response): void {
  response.setHeader("Deprecation", SINCE);
  response.setHeader("Sunset", UNTIL);
  const document = `${response.req.prefix}/openapi.json`;
  response.append("Link", `<${document}>; rel="deprecation"; type="application/json"`);
}
