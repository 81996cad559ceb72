import type { Request, RequestHandler } from "express";
import { rateLimit } from "express-rate-limit";
import { Problem } from "../problem.js";

const WINDOW_MILLISECONDS = 60_000;

/** Holds each key to its requests a minute. Who has no key, or a key without a limit, is not held. */
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
        `The key may ask ${String(limitOf(request))} times a minute; ask again in ${seconds} seconds.`,
      );
    },
  });
}

function limitOf(request: Request): number | undefined {
  return request.key?.requestsPerMinute;
}
