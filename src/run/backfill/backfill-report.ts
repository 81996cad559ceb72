import type { CertaintyCounts } from "../../voucher/certainty.js";

/** Which execution dates of a range are run: those without a publication, whose last run failed, whose raw files changed, or all. */
export const SELECTIONS = ["missing", "failed", "stale", "all"] as const;
export type Selection = (typeof SELECTIONS)[number];

export const ORDERS = ["oldest-first", "newest-first"] as const;
export type Order = (typeof ORDERS)[number];

/** An execution date of a backfill, and what has become of it. */
export interface BackfilledDate {
  readonly execution_date: string;
  /** `done before` is what the part of the backfill that stopped has done. */
  readonly state: "waiting" | "running" | "done before" | "done" | "failed";
  readonly run_id: string | null;
  readonly seconds: number | null;
  /** How many rows its run wrote into the partitions of all tables. */
  readonly rows: number | null;
  /** Whether its data is other than what readers had before. */
  readonly is_new: boolean | null;
  /** How many of its answers differ from those of the publication before it. */
  readonly changed: number | null;
  /** How many of its answers are sure, likely and toss-ups. */
  readonly certainty: CertaintyCounts | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly warnings: readonly string[];
}

/** What a backfill can say of itself. It is what `--json` prints. */
export interface BackfillReport {
  /** Null if there was no date to run. */
  readonly backfill_id: string | null;
  readonly from: string;
  readonly to: string;
  readonly only: Selection;
  /** When the backfill began that this one continued with; null if it is a new one. */
  readonly resumed_from: string | null;
  /** The earliest first. */
  readonly dates: readonly BackfilledDate[];
  /** What is to be known of all of them; each date has its own. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}
