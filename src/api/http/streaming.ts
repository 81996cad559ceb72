import { open } from "node:fs/promises";
import { PassThrough, type Writable } from "node:stream";
import { createGunzip, type Gunzip } from "node:zlib";
import type { Request, Response } from "express";
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

/** A little less than the server has for a whole request: who takes longer is still told so. */
const BODY_MILLISECONDS = 590_000;

/**
 * The bytes of a body, as they come, decompressed.
 * @param idleMilliseconds how long the client may neither send nor read anything.
 * @throws Problem unsupported-media-type for an unknown encoding at once. While it is read: ClientGone, a Problem if the client is
 * too slow or the body too repetitive, and faults of its compression.
 */
export function bytesOf(
  request: Request,
  response: Response,
  idleMilliseconds: number,
): AsyncGenerator<Buffer> {
  const bytes = decoderOf(request);
  // The reader of the bytes receives the fault; there may be no reader yet.
  bytes.on("error", () => undefined);
  // The request itself must outlive a fault of its body. Otherwise there is no response to the fault.
  request.pipe(bytes);
  const deadline = setTimeout(() => bytes.destroy(tooLate(BODY_MILLISECONDS)), BODY_MILLISECONDS);
  response.once("close", () => {
    clearTimeout(deadline);
  });
  request.once("close", () => {
    if (!request.complete) bytes.destroy(new ClientGone());
  });
  response.setTimeout(idleMilliseconds, () => {
    // A client that does not read its answer would not read a reason.
    if (response.writableNeedDrain) response.destroy();
    // Received data is still in progress: the service is slow, not the client.
    else if (request.complete || bytes.writableNeedDrain) response.setTimeout(idleMilliseconds);
    else bytes.destroy(tooLate(idleMilliseconds));
  });
  return inPieces(bytes);
}

/**
 * The bytes of a stored file, decompressed if it is gzip.
 * @param onRead gets the number of bytes of the file itself, as they are read.
 */
export async function* bytesOfFile(file: string, onRead: (bytes: number) => void): AsyncGenerator<Buffer> {
  const handle = await open(file);
  const { buffer: start } = await handle.read(Buffer.alloc(GZIP.length), 0, GZIP.length, 0);
  const stored = handle.createReadStream({ start: 0 });
  stored.on("data", (chunk) => {
    onRead(chunk.length);
  });
  const bytes = start.equals(GZIP) ? createGunzip() : new PassThrough();
  stored.on("error", (error) => bytes.destroy(error));
  try {
    yield* inPieces(stored.pipe(bytes));
  } finally {
    stored.destroy();
  }
}

const GZIP = Buffer.from([0x1f, 0x8b]);

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

/** The results of a small piece are gone before the garbage collector could treat them as long-lived. */
async function* inPieces(bytes: PassThrough | Gunzip): AsyncGenerator<Buffer> {
  for await (const chunk of bounded(bytes))
    for (let start = 0; start < chunk.length; start += PIECE_BYTES)
      yield chunk.subarray(start, start + PIECE_BYTES);
}

function tooLate(milliseconds: number): Problem {
  return new Problem(
    "request-too-late",
    `No more of the body arrived within ${(milliseconds / 1_000).toString()} seconds.`,
  );
}
