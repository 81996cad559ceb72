import type { RowValue } from "../engine/engine.js";
import type { RunReport } from "./report.js";

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
}

/** The rows that a run has counted; undefined where it has counted none, as in stages that read no raw files. */
export function rowCountsOf({ measures }: Pick<RunReport, "measures">): RowCounts | undefined {
  const [counts] = measures["measures.row_accounting"] ?? [];
  if (counts === undefined) return undefined;
  return {
    read: Number(counts["rows_read"]),
    rejected: Number(counts["rejected"]),
    outOfScope: Number(counts["out_of_scope"]),
    curated: Number(counts["curated"]),
  };
}

/** The rejected rows by reason, as the measure has them: the most frequent reason first. */
export function rejectReasonsOf({ measures }: Pick<RunReport, "measures">): RejectReason[] {
  return (measures["measures.rejected_by_reason"] ?? []).map((row) => ({
    reason: textOf(row["reject_reason"]),
    rejected: Number(row["rejected"]),
  }));
}

function textOf(value: RowValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
