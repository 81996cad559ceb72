import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../make-folder.js";
import type { SqlVersion } from "../models/load.js";
import { ASSETS, ASSETS_FOLDER, siteOf } from "./site.js";

/**
 * Writes the data dictionary of a SQL version into a folder, which is made where it is not there.
 * @returns the page to begin with.
 */
export async function writeSite(version: SqlVersion, folder: string): Promise<string> {
  await makeFolder(path.resolve(folder));
  for (const [file, text] of siteOf(version)) await writeFile(path.join(folder, file), text);
  for (const file of ASSETS) await copyFile(path.join(ASSETS_FOLDER, file), path.join(folder, file));
  return path.join(folder, "index.html");
}
