import { createHash } from "node:crypto";
import { messageOf, PipelineError } from "../base/errors.js";
import type { Zone, ZoneFile } from "./zone.js";

/** The SHA-256 of a file's bytes, in hexadecimal. */
export async function sha256Of(zone: Zone, file: Pick<ZoneFile, "path" | "uri">): Promise<string> {
  const hash = createHash("sha256");
  try {
    // A stream of its own for each hash takes as long as the hash, where a file is small.
    for await (const chunk of zone.read(file)) hash.update(chunk as Buffer);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("STORAGE_FAILED", `${file.uri} cannot be read back: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return hash.digest("hex");
}
