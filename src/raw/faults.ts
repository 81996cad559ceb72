import { PipelineError } from "../errors.js";
import { printable } from "../printable.js";

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

/** One error that names every file at fault. */
export function unreadableFiles(faults: readonly RawFault[]): PipelineError {
  const lines = [...faults]
    .sort((a, b) => (a.path < b.path ? -1 : 1))
    .map(({ path, reason }) => `  ${printable(path)}: ${reason}`);
  const count = new Set(faults.map(({ path }) => path)).size;
  const files = count === 1 ? "this raw file" : `these ${count} raw files`;
  return new PipelineError(
    "RAW_FILE_UNREADABLE",
    [`${files} cannot be read; mend or remove:`, ...lines].join("\n"),
  );
}
