import type { Response } from "express";

/** Since when what is deprecated is: 1 December 2026, as RFC 9745 writes it. */
const SINCE = "@1796083200";
/** From when on it may be gone, as RFC 8594 writes it. */
const UNTIL = "Tue, 01 Jun 2027 00:00:00 GMT";

/**
 * Says in the headers that a field of the answer, or a parameter of the request, is deprecated. The OpenAPI document marks which, and
 * docs/api.md says what stands in their place.
 */
export function tellDeprecated(response: Response): void {
  response.setHeader("Deprecation", SINCE);
  response.setHeader("Sunset", UNTIL);
  const document = `${response.req.prefix}/openapi.json`;
  response.append("Link", `<${document}>; rel="deprecation"; type="application/json"`);
}
