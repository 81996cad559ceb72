import cors from "cors";
import type { Request, RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import type { KeyedPart } from "../../settings/settings.js";
import { CONFIRMED_HEADER, PUBLICATION_HEADER } from "./freshness.js";
import type { KeyRing } from "./key-ring.js";
import { REQUEST_ID_HEADER } from "./observing.js";
import { Problem } from "./problems.js";

/** A percent sign that does not encode ASCII. Most addresses have none; Node itself rejects bytes that are not ASCII. */
const IN_DOUBT = /%(?![0-7][0-9a-f])/i;

/**
 * Rejects a request without a Host header or with two, because a proxy may have used the other one. Rejects
 * unsupported expectations. Rejects parameters that are not UTF-8 or not percent-encoded: otherwise the service could
 * answer for another country.
 */
export const expectReadableAddress: RequestHandler = (request, _response, next) => {
  const hosts = request.headersDistinct["host"]?.length ?? 0;
  if (hosts > 1) throw new Problem("invalid-request", "The request has more than one Host header.");
  if (hosts === 0 && request.httpVersion === "1.1")
    throw new Problem("invalid-request", "The request has no Host header, which HTTP/1.1 requires.");
  const { expect } = request.headers;
  if (expect !== undefined && expect.toLowerCase() !== "100-continue")
    throw new Problem("expectation-failed", "Expect can only be 100-continue.");
  const [, query = ""] = /\?(.*)/s.exec(request.url) ?? [];
  const faults = IN_DOUBT.test(query) ? query.split("&").filter((parameter) => !isReadable(parameter)) : [];
  if (faults.length === 0) {
    next();
    return;
  }
  throw new Problem(
    "invalid-request",
    "The service cannot decode a parameter.",
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

/**
 * The security headers of every response, including responses to invalid HTTP. They are those of Helmet's thirteen
 * headers that matter to an api, with its values. Strict-Transport-Security is the task of the server that terminates
 * TLS.
 */
export const SECURITY_HEADERS = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Resource-Policy": "same-origin",
} as const;

const PREPARED = Object.entries(SECURITY_HEADERS);

/** The documentation is a page with its own scripts and styles; Swagger UI sets styles in elements. */
const DOCUMENTATION_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "connect-src 'self'; frame-ancestors 'none'";

/** The pages have their own styles and scripts, in files, and load nothing from other servers. */
const PAGE_POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
  "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

export const secureAnswer: RequestHandler = (_request, response, next) => {
  for (const [name, value] of PREPARED) response.setHeader(name, value);
  next();
};

export const securePage: RequestHandler = (_request, response, next) => {
  // A form must name its origin to this service.
  response.setHeader("Referrer-Policy", "same-origin");
  response.setHeader("Content-Security-Policy", PAGE_POLICY);
  next();
};

export const secureDocumentation: RequestHandler = (_request, response, next) => {
  response.setHeader("Content-Security-Policy", DOCUMENTATION_POLICY);
  next();
};

/**
 * Refuses a form that another site has a browser send: the browser adds the person's key by itself.
 * @throws Problem
 */
export function expectOwnPage({ headers, host }: Request): void {
  const { origin, "sec-fetch-site": site } = headers;
  // Browsers leave out Sec-Fetch-Site if the address is neither HTTPS nor local. Programs have neither.
  const isOwn =
    site === undefined
      ? origin === undefined || origin.replace(/^https?:\/\//, "") === host
      : site === "same-origin";
  if (!isOwn)
    throw new Problem(
      "invalid-request",
      "A page of another site has sent this form. Open the page here, and send it again.",
    );
}

const PREFLIGHT_HELD_SECONDS = 600;

/** Lets pages of some origins, or of all, read the responses. Pages send keys themselves, so cookies are never needed. */
export function allowOrigins(origins: readonly string[] | "*"): RequestHandler {
  return cors({
    origin: origins === "*" ? origins : [...origins],
    methods: ["GET", "HEAD", "POST"],
    exposedHeaders: [
      "ETag",
      PUBLICATION_HEADER,
      CONFIRMED_HEADER,
      "RateLimit",
      "RateLimit-Policy",
      "Retry-After",
      REQUEST_ID_HEADER,
    ],
    maxAge: PREFLIGHT_HELD_SECONDS,
  });
}

/** Probes have no key. */
const OPEN_TO_PROBES = ["/livez", "/readyz"];

/** Makes a browser ask for a name, which does not matter, and a password: the key. */
const ASK_PERSON = 'Basic realm="vouchers: any name, and your key as password", charset="UTF-8"';

/** Whether a path of the api requires a key, if there are keys. */
export function needsKey(path: string, part: KeyedPart): boolean {
  return part === "v1" ? /^\/v1(\/|$)/i.test(path) : !OPEN_TO_PROBES.includes(path);
}

/** Rejects requests without a valid key: `Authorization: Bearer <key>`, or a browser's `Basic` with it as the password. */
export function requireKey(ring: KeyRing, now: () => Date): RequestHandler {
  return (request, response, next) => {
    const key = keyOf(request.headers.authorization ?? "");
    request.key = key === undefined ? undefined : ring.find(key, now());
    if (request.key !== undefined) {
      next();
      return;
    }
    response.set("WWW-Authenticate", prefersPage(request) ? ASK_PERSON : "Bearer");
    throw new Problem(
      "key-missing",
      key === undefined
        ? "Send your key as the header Authorization: Bearer <key>."
        : "The key is unknown, revoked or expired.",
    );
  };
}

function keyOf(authorization: string): string | undefined {
  const [, scheme = "", credentials = ""] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization) ?? [];
  if (scheme.toLowerCase() !== "basic") return credentials === "" ? undefined : credentials;
  const pair = Buffer.from(credentials, "base64").toString();
  return pair.includes(":") ? pair.slice(pair.indexOf(":") + 1) : undefined;
}

/** Whether a client prefers a page to JSON: a browser does, by its Accept. */
export function prefersPage(request: Request): boolean {
  return request.accepts(["json", "html"]) === "html";
}

const WINDOW_MILLISECONDS = 60_000;

/** Limits the requests of each key per minute. Requests without a key, or with a key without a limit, have no limit. */
export function limitRate(): RequestHandler {
  return rateLimit({
    windowMs: WINDOW_MILLISECONDS,
    skip: (request) => limitOf(request) === undefined,
    limit: (request) => limitOf(request) ?? 0,
    keyGenerator: (request) => request.key?.name ?? "",
    standardHeaders: "draft-8",
    legacyHeaders: false,
    handler: (request, response) => {
      const seconds = String(response.getHeader("Retry-After"));
      throw new Problem(
        "too-many-requests",
        `This key may send ${String(limitOf(request))} requests a minute. Try again in ${seconds} seconds.`,
      );
    },
  });
}

function limitOf(request: Request): number | undefined {
  return request.key?.requestsPerMinute;
}
