import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import type { InspectedFile } from "./raw-file.js";

/** A raw file that is not readable, with the reason. */
export interface RawFault {
  /** Relative to the raw zone. */
  readonly path: string;
  readonly reason: string;
}

/** The results of inspecting raw files. A file has a result if anything is known of it. A faulty file can have one, too. */
export interface Findings<Result> {
  readonly results: readonly Result[];
  readonly faults: readonly RawFault[];
}

const REPACK = "repack it: gunzip -c OLD.csv.gz | gzip > NEW.csv.gz";

/** DuckDB's messages about unreadable files that do not tell the remedy. */
const KNOWN_FAULTS: readonly (readonly [RegExp, string])[] = [
  [
    /Unsupported GZIP archive/,
    `DuckDB cannot read its gzip header (comment, checksum or text flag); ${REPACK}`,
  ],
  [
    /not a GZIP stream|Unsupported GZIP/,
    `DuckDB cannot read the zeros or other bytes after its gzip data; ${REPACK}`,
  ],
  [
    /No magic bytes found at end of file/,
    "it has no end: it was cut off, or is still being written. Copy it again",
  ],
  [/Decompression failure|don't know what type/, "it is damaged. Copy it again, or write it again"],
  [
    /TProtocolException/,
    "its pages are encrypted or damaged; write it without encryption, or copy the file again",
  ],
];

/** The fault of a raw file from DuckDB's error. */
export function faultOfFile(path: string, error: DuckDbError): RawFault {
  const [, reason] = KNOWN_FAULTS.find(([message]) => message.test(error.message)) ?? [];
  return { path, reason: reason ?? (error.isFatal ? breakdownBy(error) : error.onOneLine) };
}

function breakdownBy(error: DuckDbError): string {
  return `DuckDB fails to read the file (${error.onOneLine}). Write it with another program or version, or as CSV`;
}

/** One error that names every faulty file. */
export function unreadableFiles(faults: readonly RawFault[]): PipelineError {
  const lines = [...faults]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, reason }) => `  ${printable(path)}: ${reason}`);
  const count = new Set(faults.map(({ path }) => path)).size;
  const files = count === 1 ? "this raw file" : `these ${count} raw files`;
  return new PipelineError(
    "RAW_FILE_UNREADABLE",
    [`cannot read ${files}. Fix or remove ${count === 1 ? "it" : "them"}:`, ...lines].join("\n"),
  );
}

/** The maximum number of column names in a message, and the maximum length of each. */
const MAX_SHOWN = 20;
const MAX_LENGTH = 80;

/**
 * The faults of a file's columns. Names must be exact: a name that is only similar to a needed one is shown with the
 * difference.
 * @param needed the columns that the model reads.
 */
export function columnFaults({ file, columns }: InspectedFile, needed: readonly string[]): RawFault[] {
  const names = columns.map(({ name }) => name);
  const missing = needed.filter((need) => !names.includes(need));
  const problems = columns.filter(({ name }) => needed.includes(name));
  const twice = needed.filter((need) => names.indexOf(need) !== names.lastIndexOf(need));
  return [
    ...(missing.length > 0
      ? [[`lacks ${missing.join(", ")}; it has ${listed(names)}`, ...nearMisses(names, missing)].join("; ")]
      : []),
    ...(twice.length > 0 ? [`has duplicate columns: ${twice.join(", ")}`] : []),
    ...problems.flatMap(({ name, problem }) => (problem === undefined ? [] : [`${name} ${problem}`])),
  ].map((reason) => ({ path: file.path, reason }));
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return "no columns";
  const rest = names.length > MAX_SHOWN ? ` and ${(names.length - MAX_SHOWN).toString()} more` : "";
  return names.slice(0, MAX_SHOWN).map(shown).join(", ") + rest;
}

/** Names that equal a missing one without case, blanks, punctuation and invisible characters, with the difference. */
function nearMisses(names: readonly string[], missing: readonly string[]): string[] {
  const found = new Map<string, string[]>();
  for (const need of missing) {
    for (const name of names.filter((each) => essence(each) === essence(need))) {
      const difference = differenceBetween(name, need);
      found.set(difference, [...(found.get(difference) ?? []), `${shown(name)} is not ${need}`]);
    }
  }
  return [...found].map(([difference, pairs]) => `${pairs.join(", ")}: ${difference}`);
}

function essence(name: string): string {
  return name
    .normalize("NFKC")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]|\p{Default_Ignorable_Code_Point}/gu, "");
}

function differenceBetween(name: string, need: string): string {
  if (name.toLowerCase() === need.toLowerCase()) return "only the case differs";
  if (name.trim() === need && !INVISIBLE.test(name)) return "it has spaces around it";
  const [invisible] = INVISIBLE.exec(name) ?? [];
  if (invisible !== undefined) return `it has the invisible character ${codePoint(invisible)}`;
  return "the spelling differs";
}

/** Invisible characters, and those that look like a blank. */
const INVISIBLE = /[\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]|(?! )\p{Zs}/u;
const EVERY_INVISIBLE = new RegExp(INVISIBLE, "gu");
/** Letters that look like Latin letters, in a name with Latin letters. */
const FOREIGN_LETTER = /[\p{Script=Cyrillic}\p{Script=Greek}\p{Script=Cherokee}]/gu;

/** A name that people can tell from others: `"<U+FEFF>timestamp"`. */
function shown(name: string): string {
  const cut = name.length > MAX_LENGTH ? `${name.slice(0, MAX_LENGTH)}…` : name;
  const letters = /[A-Za-z]/.test(cut) ? cut.replace(FOREIGN_LETTER, marked) : cut;
  const visible = printable(letters.replace(EVERY_INVISIBLE, marked));
  const isPlain = visible === cut && name !== "" && name.trim() === name;
  return isPlain ? cut : `"${visible}"`;
}

function marked(character: string): string {
  return `<${codePoint(character)}>`;
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`;
}
