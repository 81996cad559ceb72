import { PassThrough, type Duplex } from "node:stream";
import { TextDecoder } from "node:util";
import { createGunzip } from "node:zlib";
import type { Request, Response } from "express";
import { Problem } from "../problem.js";
import { ClientGone } from "../streaming.js";
import { unreadable } from "./faults.js";

const PIECE_BYTES = 16_384;

/**
 * The text of a body, as it comes. A byte order mark is left out.
 * @param idleMilliseconds how long the client may neither send nor read anything.
 * @throws Problem unsupported-media-type for an unknown encoding at once; while it is read, ClientGone, and Problem where
 * the client is silent or the text is no UTF-8.
 */
export function textOf(
  request: Request,
  response: Response,
  idleMilliseconds: number,
): AsyncGenerator<string> {
  const bytes = decoderOf(request);
  // Whoever reads the bytes is told of the fault; there may be nobody yet.
  bytes.on("error", () => undefined);
  // The request itself must outlive a fault of its body, or the fault could not be answered.
  request.pipe(bytes);
  request.once("close", () => {
    if (!request.complete) bytes.destroy(new ClientGone());
  });
  response.setTimeout(idleMilliseconds, () => {
    if (response.headersSent) response.destroy();
    else bytes.destroy(tooLate(idleMilliseconds));
  });
  return decoded(bytes);
}

function decoderOf(request: Request): Duplex {
  const encoding = (request.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding === "identity") return new PassThrough();
  if (encoding === "gzip") return createGunzip();
  throw new Problem("unsupported-media-type", "Send the body as it is, or compressed by gzip.");
}

async function* decoded(bytes: Duplex): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of bytes) {
    for (const piece of piecesOf(chunk as Buffer)) yield decode(decoder, piece);
  }
  yield decode(decoder);
}

/** What is made of a small piece is gone before the garbage collector could take it for something that stays. */
function* piecesOf(chunk: Buffer): Generator<Buffer> {
  for (let start = 0; start < chunk.length; start += PIECE_BYTES)
    yield chunk.subarray(start, start + PIECE_BYTES);
}

function decode(decoder: TextDecoder, chunk?: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw unreadable("is no UTF-8");
  }
}

function tooLate(milliseconds: number): Problem {
  return new Problem(
    "request-too-late",
    `Nothing more of the body came within ${(milliseconds / 1_000).toString()} seconds.`,
  );
}
