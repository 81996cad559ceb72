import { counted, counting, printable } from "../base/words.js";
import type { Consumption } from "../consumption/consumption.js";
import { readSqlVersion, type SqlTexts } from "../consumption/sql-versions.js";
import type { Publication } from "../voucher/publication-identity.js";
import type { SqlChange } from "./run-record.js";

/** More files are counted, not named. */
const FILES_TOLD = 3;

/** A version of the SQL, as far as it is compared. */
interface ComparedSql {
  readonly name: string;
  readonly hash: string;
  readonly texts: SqlTexts;
}

/** The difference between the SQL of a publication and another version; null if they are the same. */
export async function sqlChangeSince(
  consumption: Consumption,
  { executionDate, sqlHash, sqlVersion }: Publication,
  { name, hash, texts }: ComparedSql,
): Promise<SqlChange | null> {
  if (sqlHash === hash) return null;
  const before = await readSqlVersion(consumption, sqlHash);
  return {
    before: executionDate.iso,
    version_before: sqlVersion,
    version: name,
    files: before === undefined ? null : changedFiles(before, texts),
  };
}

/** The files that differ between two versions, by their paths below the folder of the version. */
function changedFiles(before: SqlTexts, after: SqlTexts): NonNullable<SqlChange["files"]> {
  const [earlier, later] = [inFolder(before), inFolder(after)];
  return [...new Set([...earlier.keys(), ...later.keys()])].sort().flatMap((file) => {
    if (earlier.get(file) === later.get(file)) return [];
    return [{ file, change: !earlier.has(file) ? "new" : later.has(file) ? "changed" : "gone" }] as const;
  });
}

function inFolder(texts: SqlTexts): SqlTexts {
  return new Map([...texts].map(([file, text]) => [file.slice(file.indexOf("/") + 1), text]));
}

/** `v2 instead of v1, 2 files differ (segments.json, provision/voucher_answers.sql)`. */
export function sqlChangeInWords({ version_before, version, files }: SqlChange): string {
  const names = version === version_before ? version : `${version} instead of ${printable(version_before)}`;
  if (files === null) return `${names}; the earlier files are not stored`;
  if (files.length === 0) return `${names}, with the same files`;
  const told = files
    .slice(0, FILES_TOLD)
    .map(({ file, change }) => `${printable(file)}${change === "changed" ? "" : ` is ${change}`}`);
  const more = files.length - told.length;
  const differ = files.length === 1 ? "differs" : "differ";
  return `${names}, ${counting(files.length, "file")} ${differ} (${told.join(", ")}${more > 0 ? ` and ${counted(more)} more` : ""})`;
}
