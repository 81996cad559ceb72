import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import { messageOf, PipelineError } from "../errors.js";
import type { Zone, ZoneFile } from "./zone.js";

/** The SHA-256 of a file's bytes, in hexadecimal. */
export async function sha256Of(zone: Zone, file: Pick<ZoneFile, "path" | "uri">): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(zone.read(file), hash);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("STORAGE_FAILED", `${file.uri} cannot be read back: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return hash.digest("hex");
}
