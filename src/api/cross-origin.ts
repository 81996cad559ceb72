import cors from "cors";
import type { RequestHandler } from "express";
import { CONFIRMED_HEADER, PUBLICATION_HEADER } from "./freshness.js";
import { REQUEST_ID_HEADER } from "./request-id.js";

const PREFLIGHT_HELD_SECONDS = 600;

/** Lets pages of some origins, or of all, read the answers. Keys are sent by pages themselves, so no cookie is ever wanted. */
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
