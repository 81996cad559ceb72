import { createHash } from "node:crypto";
import { pipeline } from "node:stream/promises";
import type { Zone, ZoneFile } from "./zone.js";

/** The SHA-256 of a file's bytes, in hexadecimal. */
export async function sha256Of(zone: Zone, file: Pick<ZoneFile, "path" | "uri">): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(zone.read(file), hash);
  return hash.digest("hex");
}
