import { copyFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { makeFolder } from "../base/files.js";
import type { SqlVersion } from "../models/load.js";
import { ASSETS, ASSETS_FOLDER, siteOf } from "./site.js";

/** What was written, as paths. */
export interface WrittenSite {
  /** The page to begin with. */
  readonly index: string;
  /** All that was written: the pages, that one among them, and what they need beside them. */
  readonly files: readonly string[];
}

/** Writes the data dictionary of a SQL version into a folder, which is made where it is not there. */
export async function writeSite(version: SqlVersion, folder: string): Promise<WrittenSite> {
  await makeFolder(path.resolve(folder));
  const pages = siteOf(version);
  for (const [file, text] of pages) await writeFile(path.join(folder, file), text);
  for (const file of ASSETS) await copyFile(path.join(ASSETS_FOLDER, file), path.join(folder, file));
  const files = [...pages.keys(), ...ASSETS].map((file) => path.join(folder, file));
  return { index: path.join(folder, "index.html"), files };
}
