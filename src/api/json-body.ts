import express, { type Request, type Response } from "express";
import { Problem } from "./problem.js";

export const JSON_TYPE = "application/json";

/** 10,000 customers take less than half of it. */
const MAX_JSON_BYTES = 5_000_000;
/** Who sends a body a few bytes at a time does not keep the service waiting. */
const BODY_MILLISECONDS = 10_000;

const readBytes = express.raw({ type: [JSON_TYPE, "application/*+json"], limit: MAX_JSON_BYTES });
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false });

/**
 * Reads a body of JSON.
 * @throws Problem unsupported-media-type, body-too-large, request-too-late or invalid-request.
 */
export async function readJson(request: Request): Promise<unknown> {
  const bytes = await inTime(request, bytesOf(request));
  try {
    return JSON.parse(UTF_8.decode(bytes));
  } catch {
    throw new Problem("invalid-request", "The body is no JSON in UTF-8.", [
      { field: "body", message: 'must be JSON in UTF-8, as {"country_code":"Peru",…}' },
    ]);
  }
}

async function bytesOf(request: Request): Promise<Buffer> {
  const type = request.get("content-type");
  const charset = /;\s*charset="?([^";]+)"?/i.exec(type ?? "")?.[1];
  if (!isJson(request) || (charset !== undefined && !/^utf-?8$/i.test(charset)))
    throw new Problem("unsupported-media-type", `Send the body as ${JSON_TYPE} in UTF-8.`);
  await new Promise<void>((resolve, reject) => {
    readBytes(request, {} as Response, (error?: unknown) => {
      if (error === undefined) resolve();
      else reject(problemOf(error));
    });
  });
  return Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
}

/** Also for a body of no bytes, of which type-is says nothing. */
function isJson(request: Request): boolean {
  const [type = ""] = (request.get("content-type") ?? "").split(";");
  return /^application\/(json|[a-z0-9.+-]+\+json)$/i.test(type.trim());
}

/** The faults of a body, as body-parser tells them. */
function problemOf(error: unknown): unknown {
  const { type } = error as { type?: string };
  switch (type) {
    case "entity.too.large":
      return new Problem(
        "body-too-large",
        `A body of JSON can have ${MAX_JSON_BYTES.toLocaleString("en")} bytes.`,
      );
    case "encoding.unsupported":
      return new Problem(
        "unsupported-media-type",
        "Send the body as it is, or compressed by gzip, deflate or br.",
      );
    case "request.aborted":
    case "request.size.invalid":
      return new Problem("invalid-request", "The body ended before it was whole.");
    default:
      return error instanceof Error && "status" in error
        ? new Problem("invalid-request", "The body cannot be read.")
        : error;
  }
}

async function inTime<Result>(request: Request, reading: Promise<Result>): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(
        new Problem(
          "request-too-late",
          `The body must come within ${(BODY_MILLISECONDS / 1_000).toString()} seconds.`,
        ),
      );
      // Nobody reads the rest: the connection ends with the answer.
      request.unpipe();
    }, BODY_MILLISECONDS);
  });
  try {
    return await Promise.race([reading, late]);
  } finally {
    clearTimeout(timer);
  }
}
