import express, { type Request, type RequestHandler } from "express";
import { Problem } from "./problems.js";

export const JSON_TYPE = "application/json";
export const CSV_TYPE = "text/csv";
export const NDJSON_TYPE = "application/x-ndjson";

/** The media type of a body and its charset, in lower case. */
export function typeOf(request: Request): { readonly type: string; readonly charset: string } {
  const [type = "", ...parameters] = (request.get("content-type") ?? "").toLowerCase().split(";");
  const charset = /^\s*charset="?([^"]*)"?\s*$/m.exec(parameters.join("\n"))?.[1] ?? "utf-8";
  return { type: type.trim(), charset: charset === "utf8" ? "utf-8" : charset };
}

/** The value of a JSON text; undefined, which JSON does not have, if the text is invalid. */
export function maybeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const JSON_TYPES = /^application\/(json|[a-z0-9.+-]+\+json)$/;

/** 10,000 customers need less than half of it. */
const MAX_JSON_BYTES = 5_000_000;
/** Braces, brackets, commas and colons: 10,000 customers have 190,000. With more, other requests would wait. */
const MAX_PARTS = 300_000;
const PARTS = new Set(Array.from("{[,:", (character) => character.charCodeAt(0)));
/** A client that sends its body a few bytes at a time does not delay the service. */
const BODY_MILLISECONDS = 10_000;

const UTF_8 = new TextDecoder("utf-8", { fatal: true });

/** Rejects bodies that are not JSON in UTF-8. */
const expectJson: RequestHandler = (request, _response, next) => {
  const { type, charset } = typeOf(request);
  if (!JSON_TYPES.test(type) || charset !== "utf-8")
    throw new Problem("unsupported-media-type", `Send the body as ${JSON_TYPE} in UTF-8.`);
  next();
};

/** Continues after the body or after the time limit, whichever comes first. */
const expectSoon: RequestHandler = (request, _response, next) => {
  const timer = setTimeout(() => {
    const seconds = (BODY_MILLISECONDS / 1_000).toString();
    request.pause();
    next(new Problem("request-too-late", `The body must come within ${seconds} seconds.`));
  }, BODY_MILLISECONDS);
  const stop = () => {
    clearTimeout(timer);
  };
  request.once("end", stop).once("close", stop);
  next();
};

const readBytes = express.raw({ type: () => true, limit: MAX_JSON_BYTES });

const parse: RequestHandler = (request, _response, next) => {
  const given: unknown = request.body;
  const bytes = Buffer.isBuffer(given) ? given : Buffer.alloc(0);
  if (partsOf(bytes) > MAX_PARTS)
    throw new Problem("body-too-large", "The JSON body is larger than 10,000 customers need.");
  try {
    request.body = JSON.parse(UTF_8.decode(bytes)) as unknown;
  } catch {
    throw new Problem("invalid-request", "The body is not JSON in UTF-8.", [
      { field: "body", message: 'must be JSON in UTF-8, for example {"country_code":"Peru",…}' },
    ]);
  }
  next();
};

/** At least the number of its values. */
function partsOf(bytes: Buffer): number {
  let count = 0;
  for (const byte of bytes) if (PARTS.has(byte)) count += 1;
  return count;
}

/** Reads a JSON body to `request.body`, strictly: bytes that are not UTF-8 are rejected, not replaced. */
export const readJson: readonly RequestHandler[] = [expectJson, expectSoon, readBytes, parse];

/** The problem of a body that body-parser rejects; undefined for any other error. */
export function bodyProblem(error: unknown): Problem | undefined {
  const { type, status, code } = error as { type?: unknown; status?: unknown; code?: unknown };
  switch (type) {
    case "entity.too.large":
      return new Problem(
        "body-too-large",
        `A JSON body can have at most ${MAX_JSON_BYTES.toLocaleString("en")} bytes.`,
      );
    case "encoding.unsupported":
      return new Problem(
        "unsupported-media-type",
        "Send the body uncompressed, or compressed with gzip, deflate or br.",
      );
    case "request.aborted":
    case "request.size.invalid":
      return new Problem("invalid-request", "The body is incomplete.");
    default:
      // Body-parser gives a status to every fault of decompression. The codes of brotli depend on the fault.
      return status === 400 || String(code).startsWith("Z_")
        ? new Problem("invalid-request", "The service cannot decompress the body.")
        : undefined;
  }
}
