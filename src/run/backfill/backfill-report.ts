import type { CertaintyCounts } from "../../voucher/certainty.js";

/**
 * The selections of dates in a range: without a publication, with a failed last run, with changed raw files, published by
 * other SQL, or all.
 */
export const SELECTIONS = ["missing", "failed", "stale", "outdated", "all"] as const;
export type Selection = (typeof SELECTIONS)[number];

export const ORDERS = ["oldest-first", "newest-first"] as const;
export type Order = (typeof ORDERS)[number];

/** An execution date of a backfill, and its state. */
export interface BackfilledDate {
  readonly execution_date: string;
  /** `done before` means that an interrupted earlier part of the backfill has done it. */
  readonly state: "waiting" | "running" | "done before" | "done" | "failed";
  readonly run_id: string | null;
  readonly seconds: number | null;
  /** The rows that its run wrote into the partitions of all tables. */
  readonly rows: number | null;
  /** Whether its data differs from the data that readers had before. */
  readonly is_new: boolean | null;
  /** The number of its answers that differ from the previous publication. */
  readonly changed: number | null;
  /** The number of its answers that are sure, likely and toss-ups. */
  readonly certainty: CertaintyCounts | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly warnings: readonly string[];
}

/** The report of a backfill, which `--json` prints. */
export interface BackfillReport {
  /** Null if there was no date to run. */
  readonly backfill_id: string | null;
  readonly from: string;
  readonly to: string;
  readonly only: Selection;
  /** The start of the interrupted backfill that this one resumed; null if it is a new one. */
  readonly resumed_from: string | null;
  /** The earliest first. */
  readonly dates: readonly BackfilledDate[];
  /** Warnings about the whole backfill; each date has its own. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}
