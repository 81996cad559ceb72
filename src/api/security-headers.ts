import type { RequestHandler } from "express";

/**
 * What every answer tells browsers: of Helmet's thirteen headers those that matter to an api, with its values. Answers to
 * what is no HTTP have them, too. Strict-Transport-Security is left to what terminates TLS.
 */
export const SECURITY_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

const PREPARED = Object.entries(SECURITY_HEADERS);

/** The documentation is a page with scripts and styles of its own; Swagger UI sets styles in elements. */
const DOCUMENTATION_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'";

/** The pages have styles and scripts of their own, in files, and ask nothing of others. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export const secureAnswer: RequestHandler = (_request, response, next) => {
  for (const [name, value] of PREPARED) response.setHeader(name, value);
  next();
};

export const securePage: RequestHandler = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", PAGE_POLICY);
  next();
};

export const secureDocumentation: RequestHandler = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", DOCUMENTATION_POLICY);
  next();
};
