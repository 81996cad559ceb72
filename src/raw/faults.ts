import { PipelineError } from "../base/errors.js";
import { printable } from "../base/printable.js";
import type { DuckDbError } from "../engine/duckdb-errors.js";

/** A raw file that cannot be read, and why. */
export interface RawFault {
  /** Relative to the raw zone. */
  readonly path: string;
  readonly reason: string;
}

/** What came of looking at raw files: a result for each of which anything is known, and what is at fault, also with one of these. */
export interface Findings<Result> {
  readonly results: readonly Result[];
  readonly faults: readonly RawFault[];
}

const REPACK = "repack it: gunzip -c OLD.csv.gz | gzip > NEW.csv.gz";

/** What DuckDB says of files that it cannot read, where its words do not tell what to do. */
const KNOWN_FAULTS: readonly (readonly [RegExp, string])[] = [
  [
    /Unsupported GZIP archive/,
    `its gzip header has a comment, a checksum or the text flag, which DuckDB cannot read; ${REPACK}`,
  ],
  [
    /not a GZIP stream|Unsupported GZIP/,
    `zeros or other bytes follow its gzip data, which DuckDB cannot read; ${REPACK}`,
  ],
  [
    /TProtocolException/,
    "its pages are encrypted or damaged; write it without encryption, or copy the file again",
  ],
];

/** What DuckDB's error says of the raw file that it met. */
export function faultOfFile(path: string, error: DuckDbError): RawFault {
  const [, reason] = KNOWN_FAULTS.find(([message]) => message.test(error.message)) ?? [];
  return { path, reason: reason ?? (error.isFatal ? breakdownBy(error) : error.onOneLine) };
}

function breakdownBy(error: DuckDbError): string {
  return `DuckDB breaks down when it reads the file (${error.onOneLine}). Write the file with another program or version, or as CSV`;
}

/** One error that names every file at fault. */
export function unreadableFiles(faults: readonly RawFault[]): PipelineError {
  const lines = [...faults]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, reason }) => `  ${printable(path)}: ${reason}`);
  const count = new Set(faults.map(({ path }) => path)).size;
  const files = count === 1 ? "this raw file" : `these ${count} raw files`;
  return new PipelineError(
    "RAW_FILE_UNREADABLE",
    [`${files} cannot be read. Fix or remove ${count === 1 ? "it" : "them"}:`, ...lines].join("\n"),
  );
}
