import { createWriteStream } from "node:fs";
import type { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Busboy, type BusboyHeaders } from "@fastify/busboy";
import type { Request } from "express";
import { systemCodeOf } from "../../../base/errors.js";
import { Problem } from "../../http/problems.js";
import { ClientGone } from "../../http/streaming.js";

/** A million customers take 30 to 60 MB. */
export const MAX_UPLOAD_BYTES = 100_000_000;

/** The form of a campaign, as it was sent. The file is stored. */
export interface Upload {
  /** The name that the file has on the disk of its sender. */
  readonly name: string;
  readonly bytes: number;
  /** The other fields that are filled in. */
  readonly fields: Readonly<Record<string, string>>;
}

const LIMITS = { files: 1, fields: 20, fieldSize: 256, fileSize: MAX_UPLOAD_BYTES, headerPairs: 20 };

/**
 * Reads a form, and stores its file while it comes.
 * @param file does not exist yet.
 * @throws Problem, ClientGone
 */
export async function storeUpload(request: Request, file: string): Promise<Upload> {
  const form = formOf(request);
  const fields: Record<string, string> = {};
  let name = "";
  let content: (Readable & { readonly truncated: boolean }) | undefined;
  let bytes = 0;
  await new Promise<void>((resolve, reject) => {
    let stored = Promise.resolve();
    form.on("field", (field, value) => {
      if (value !== "") fields[field] = value;
    });
    form.on("file", (_field, stream, filename) => {
      [name, content] = [filename, stream];
      stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
      stored = pipeline(stream, createWriteStream(file, { flags: "wx", mode: 0o600 }));
      stored.catch(reject);
    });
    form.once("error", () => {
      reject(
        new Problem("invalid-request", "The form cannot be read. Open the page again, and send it again."),
      );
    });
    form.once("finish", () => void stored.then(resolve, reject));
    request.once("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
    request.pipe(form);
  }).catch((error: unknown) => {
    request.unpipe(form);
    content?.destroy();
    throw faultOfDisk(error);
  });
  if (content?.truncated === true)
    throw new Problem(
      "body-too-large",
      `A file can have ${MAX_UPLOAD_BYTES / 1_000_000} MB. Compress it by gzip, or split it.`,
    );
  if (name === "") throw new Problem("invalid-request", "No file was sent. Choose a file of customers.");
  return { name, bytes, fields };
}

/** There is no room for a file. */
export function noRoom(): Problem {
  return new Problem("no-room", "The service keeps other files now. Send the file again in a few minutes.");
}

/** A full disk is a lack of room. Other faults stay as they are. */
export function faultOfDisk(error: unknown): unknown {
  return ["ENOSPC", "EDQUOT"].includes(systemCodeOf(error) ?? "") ? noRoom() : error;
}

function formOf(request: Request): InstanceType<typeof Busboy> {
  try {
    return new Busboy({ headers: request.headers as BusboyHeaders, limits: LIMITS });
  } catch (error) {
    throw new Problem("unsupported-media-type", "Send the form of the page, as multipart/form-data.", [], {
      cause: error,
    });
  }
}
