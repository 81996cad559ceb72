import { readFile } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError } from "../base/errors.js";
import { SEGMENTS_FILE, parseSegments, type Segments } from "./segment-rules.js";

/**
 * Reads the segments of a SQL version.
 * @param versionDirectory the folder of the version, for example `sql/v1`.
 * @throws PipelineError INVALID_MODEL if the file is missing or malformed, naming file and place.
 */
export async function readSegments(versionDirectory: string): Promise<Segments> {
  const file = path.join(versionDirectory, SEGMENTS_FILE);
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    throw new PipelineError("INVALID_MODEL", `${file}: ${messageOf(error)}`, { cause: error });
  }
  return parseSegments(text, file);
}
