import type { RowValue } from "../engine/builder.js";
import type { RunReport } from "./run-record.js";

/** The rows of the raw files, counted by result. */
export interface RowCounts {
  readonly read: number;
  readonly rejected: number;
  readonly outOfScope: number;
  readonly curated: number;
}

/** A reason for rejected rows. A row with two reasons counts under both. */
export interface RejectReason {
  readonly reason: string;
  readonly rejected: number;
  /** The raw value of one of the rows; null if it is missing or unknown. */
  readonly example: string | null;
  /** The file of that row, below the raw zone. */
  readonly source_file: string | null;
}

/** Rejected rows of one reason and country. */
export interface RejectedGroup extends RejectReason {
  /** Null if it is not readable. */
  readonly country: string | null;
}

/** The table of the rejected rows. */
export const REJECTED_ROWS = "curated.vouchers_rejected";

/** The measures with the results of rows and the reasons for rejections. */
export const ROW_ACCOUNTING = "measures.row_accounting";
export const BY_REASON = "measures.rejected_by_reason";
export const BY_REASON_AND_COUNTRY = "measures.rejected_by_reason_and_country";

/** The measure of the answers that rejected rows could change, by kind of segment. */
const COULD_CHANGE = "measures.answers_rejected_rows_could_change";

/** The maximum number of answers that the rejected rows could change if they were valid. */
export function answersRejectedRowsCouldChange({ measures }: Pick<RunReport, "measures">): number {
  return (measures[COULD_CHANGE] ?? []).reduce((sum, row) => sum + (countOf(row["could_change"]) ?? 0), 0);
}

/** The row counts of a run; undefined if a count is missing, for example in stages that read no raw files. */
export function rowCountsOf({ measures }: Pick<RunReport, "measures">): RowCounts | undefined {
  const [counts] = measures[ROW_ACCOUNTING] ?? [];
  const read = countOf(counts?.["rows_read"]);
  const rejected = countOf(counts?.["rejected"]);
  const outOfScope = countOf(counts?.["out_of_scope"]);
  const curated = countOf(counts?.["curated"]);
  if (read === undefined || rejected === undefined || outOfScope === undefined || curated === undefined)
    return undefined;
  return { read, rejected, outOfScope, curated };
}

/**
 * The rejected rows by reason, from the measure: the most frequent reason first, each with an example of its largest
 * group.
 */
export function rejectReasonsOf({ measures }: Pick<RunReport, "measures">): RejectReason[] {
  const groups = rejectedGroupsOf({ measures });
  return (measures[BY_REASON] ?? []).flatMap((row) => {
    const reason = textOf(row["reject_reason"]);
    const rejected = countOf(row["rejected"]);
    if (rejected === undefined) return [];
    const { example = null, source_file = null } = groups.find((group) => group.reason === reason) ?? {};
    return [{ reason, rejected, example, source_file }];
  });
}

/** The largest groups of rejected rows, by reason and country, from the measure. */
export function rejectedGroupsOf({ measures }: Pick<RunReport, "measures">): RejectedGroup[] {
  return (measures[BY_REASON_AND_COUNTRY] ?? []).flatMap((row) => {
    const rejected = countOf(row["rejected"]);
    if (rejected === undefined) return [];
    return [
      {
        reason: textOf(row["reject_reason"]),
        country: maybeText(row["country_code"]),
        rejected,
        example: maybeText(row["example"]),
        source_file: maybeText(row["source_file"]),
      },
    ];
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

/**
 * The engine gives large whole numbers as text. Undefined for a value that is not a count, for example after a change
 * by hand.
 */
function countOf(value: RowValue | undefined): number | undefined {
  return /^[0-9]+$/.test(textOf(value)) ? Number(value) : undefined;
}

function maybeText(value: RowValue | undefined): string | null {
  return value === undefined || value === null ? null : textOf(value);
}

function textOf(value: RowValue | undefined): string {
  return typeof value === "string" ? value : JSON.stringify(value ?? null);
}
