import path from "node:path";
import { projectFolder } from "../base/files.js";
import { parseSqlVersion, type SqlVersion } from "../models/load.js";
import { documentOf } from "./document.js";
import { addressOf, entriesOf } from "./entries.js";
import { IndexPage } from "./index-page.js";
import { ModelPage } from "./model-page.js";

/** The files that the pages need beside them, as the build has laid them out. */
export const ASSETS_FOLDER = path.join(projectFolder(), "dist/dictionary");
export const ASSETS: readonly string[] = ["style.css", "icon.svg"];

/** The data dictionary of a SQL version as pages: the text of each by the name of its file. They run no script. */
export function siteOf(version: SqlVersion): ReadonlyMap<string, string> {
  const entries = entriesOf(version);
  return new Map([
    ["index.html", documentOf(<IndexPage version={version} entries={entries} />)],
    ...entries.map(
      (entry) =>
        [
          addressOf(entry.name),
          documentOf(<ModelPage version={version} entries={entries} entry={entry} />),
        ] as const,
    ),
  ]);
}

/**
 * The same of the texts of a version, by their paths below the SQL folder.
 * @throws PipelineError INVALID_MODEL where a file is missing or malformed.
 */
export function siteOfTexts(
  version: string,
  texts: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  return siteOf(parseSqlVersion(version, texts));
}
