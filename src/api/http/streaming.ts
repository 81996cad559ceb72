import { PassThrough, type Writable } from "node:stream";
import { TextDecoder } from "node:util";
import { createGunzip, type Gunzip } from "node:zlib";
import type { Request, Response } from "express";
import { LINE_TOO_LONG } from "../../voucher/customers-csv.js";
import { Problem } from "./problems.js";

/** The client is gone: nobody waits for the rest. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/**
 * Writes, and waits until the client has read enough of it, so that unread text does not fill the memory.
 * @throws ClientGone
 */
export async function written(response: Writable, text: string): Promise<void> {
  if (isGone(response)) throw new ClientGone();
  if (text === "" || response.write(text)) return;
  await new Promise<void>((resolve) => {
    const goOn = () => {
      response.off("drain", goOn).off("close", goOn);
      resolve();
    };
    response.on("drain", goOn).on("close", goOn);
  });
  if (isGone(response)) throw new ClientGone();
}

function isGone(response: Writable): boolean {
  return response.destroyed;
}

/** A body that is not readable any further. */
export function unreadable(message: string): Problem {
  return new Problem("invalid-request", `The service cannot read the body: it ${message}.`, [
    { field: "body", message },
  ]);
}

/** The fault of a line that is too long. */
export function lineTooLong(): Problem {
  return unreadable(LINE_TOO_LONG);
}

const PIECE_BYTES = 16_384;
const NEWLINE = 0x0a;

/** The size that a body may always have, whatever its compressed size is. */
const FREE_BYTES = 4 * 1024 ** 2;
/**
 * Measured files of customers compress to between a 4th and a 24th. Zeros compress to a thousandth, and keep the
 * service busy.
 */
const MAX_EXPANSION = 25;
/** The number of lines that a body may always have, whatever its compressed size is. */
const FREE_LINES = 100_000;
/** Lines cost more than bytes. A line of a file of customers needs more than a byte, even compressed. */
const MAX_LINES_PER_BYTE = 1;

/**
 * The text of a body, as it arrives, without a byte order mark.
 * @param idleMilliseconds how long the client may neither send nor read anything.
 * @throws Problem unsupported-media-type for an unknown encoding, at once. During the read: ClientGone, and a Problem
 * if the client is silent or the text is not UTF-8.
 */
export function textOf(
  request: Request,
  response: Response,
  idleMilliseconds: number,
): AsyncGenerator<string> {
  const bytes = decoderOf(request);
  // The reader of the bytes receives the fault; there may be no reader yet.
  bytes.on("error", () => undefined);
  // The request itself must outlive a fault of its body. Otherwise there is no response to the fault.
  request.pipe(bytes);
  request.once("close", () => {
    if (!request.complete) bytes.destroy(new ClientGone());
  });
  response.setTimeout(idleMilliseconds, () => {
    if (response.headersSent) response.destroy();
    // Received data is still in progress: the service is slow, not the client.
    else if (request.complete || bytes.writableNeedDrain) response.setTimeout(idleMilliseconds);
    else bytes.destroy(tooLate(idleMilliseconds));
  });
  return decoded(bounded(bytes));
}

function decoderOf(request: Request): PassThrough | Gunzip {
  const encoding = (request.get("content-encoding") ?? "identity").trim().toLowerCase();
  if (encoding === "identity") return new PassThrough();
  if (encoding === "gzip") return createGunzip();
  throw new Problem("unsupported-media-type", "Send the body uncompressed, or compressed with gzip.");
}

/** Ends a body that expands much more than files of customers do: its cost must depend on its sent size. */
async function* bounded(bytes: PassThrough | Gunzip): AsyncGenerator<Buffer> {
  let [expanded, lines] = [0, 0];
  for await (const chunk of bytes) {
    const piece = chunk as Buffer;
    if ("bytesWritten" in bytes) {
      expanded += piece.length;
      lines += newlinesIn(piece);
      const sent = bytes.bytesWritten;
      if (expanded > FREE_BYTES && expanded > sent * MAX_EXPANSION)
        throw tooRepetitive(`more than ${MAX_EXPANSION.toString()} times its size`);
      if (lines > FREE_LINES + sent * MAX_LINES_PER_BYTE) throw tooRepetitive("more lines than it has bytes");
    }
    yield piece;
  }
}

function newlinesIn(bytes: Buffer): number {
  let count = 0;
  for (let place = bytes.indexOf(NEWLINE); place !== -1; place = bytes.indexOf(NEWLINE, place + 1))
    count += 1;
  return count;
}

function tooRepetitive(what: string): Problem {
  return new Problem("body-too-large", `The body expands to ${what}. Send it without compression.`);
}

async function* decoded(bytes: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const chunk of bytes) {
    for (const piece of piecesOf(chunk)) yield decode(decoder, piece);
  }
  yield decode(decoder);
}

/** The results of a small piece are gone before the garbage collector could treat them as long-lived. */
function* piecesOf(chunk: Buffer): Generator<Buffer> {
  for (let start = 0; start < chunk.length; start += PIECE_BYTES)
    yield chunk.subarray(start, start + PIECE_BYTES);
}

function decode(decoder: TextDecoder, chunk?: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined });
  } catch {
    throw unreadable("is not UTF-8");
  }
}

function tooLate(milliseconds: number): Problem {
  return new Problem(
    "request-too-late",
    `No more of the body arrived within ${(milliseconds / 1_000).toString()} seconds.`,
  );
}
