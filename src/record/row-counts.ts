import type { RowValue } from "../engine/builder.js";
import type { RunReport } from "./run-record.js";

/** What became of the rows of the raw files. */
export interface RowCounts {
  readonly read: number;
  readonly rejected: number;
  readonly outOfScope: number;
  readonly curated: number;
}

/** Why rows were rejected. A row with two reasons counts under both. */
export interface RejectReason {
  readonly reason: string;
  readonly rejected: number;
  /** The value of one of the rows, as it came; null if it is missing or not known. */
  readonly example: string | null;
  /** The file of that row, below the raw zone. */
  readonly source_file: string | null;
}

/** The table of the rejected rows. */
export const REJECTED_ROWS = "curated.vouchers_rejected";

/** The measures that tell what became of the rows, and why some were rejected. */
export const ROW_ACCOUNTING = "measures.row_accounting";
export const BY_REASON = "measures.rejected_by_reason";
export const BY_REASON_AND_COUNTRY = "measures.rejected_by_reason_and_country";

/** The rows that a run has counted; undefined where it has counted none, as in stages that read no raw files. */
export function rowCountsOf({ measures }: Pick<RunReport, "measures">): RowCounts | undefined {
  const [counts] = measures[ROW_ACCOUNTING] ?? [];
  if (counts === undefined) return undefined;
  return {
    read: Number(counts["rows_read"]),
    rejected: Number(counts["rejected"]),
    outOfScope: Number(counts["out_of_scope"]),
    curated: Number(counts["curated"]),
  };
}

/** The rejected rows by reason, as the measure has them: the most frequent reason first, each with an example of its largest group. */
export function rejectReasonsOf({ measures }: Pick<RunReport, "measures">): RejectReason[] {
  const examples = measures[BY_REASON_AND_COUNTRY] ?? [];
  return (measures[BY_REASON] ?? []).map((row) => {
    const one = examples.find((example) => example["reject_reason"] === row["reject_reason"]);
    return {
      reason: textOf(row["reject_reason"]),
      rejected: Number(row["rejected"]),
      example: maybeText(one?.["example"]),
      source_file: maybeText(one?.["source_file"]),
    };
  });
}

/** Reasons as rows of a table, each with an example. Quotes show the blanks around a value. */
export function reasonRows(reasons: readonly RejectReason[]): Record<string, string | number | null>[] {
  return reasons.map(({ reason, rejected, example, source_file }) => ({
    reason,
    rejected,
    example: example === null ? null : JSON.stringify(example),
    file: source_file,
  }));
}

function maybeText(value: RowValue | undefined): string | null {
  return value === undefined || value === null ? null : textOf(value);
}

function textOf(value: RowValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
