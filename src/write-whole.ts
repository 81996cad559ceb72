import { randomBytes } from "node:crypto";
import { rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "./make-folder.js";

/** Writes a file, and the folders above it, so that who reads it sees the one that was there or the new one, never half. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const folder = path.dirname(file);
  await makeFolder(folder);
  // A name that no reader of the folder takes for a file of its own.
  const begun = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(begun, content);
    await rename(begun, file);
  } catch (error) {
    await rm(begun, { force: true });
    throw error;
  }
}
