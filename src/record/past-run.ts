import type { PipelineRunsTable, RunOutcome, WithdrawalsTable } from "../consumption/schema.js";
import { isoOfKey } from "../voucher/execution-date.js";
import { emptyReport, reportOf, type RunReport } from "./run-record.js";

/** A run that there was, or that is under way, as the history has it and `--json` prints it. */
export interface PastRun extends Omit<PipelineRunsTable, "record"> {
  /** What is known of it; of one that was killed, what was known at its last sign of life. Null if nothing is. */
  readonly report: RunReport | null;
  /** Whether and why what the run had published was taken back, the latest first. */
  readonly withdrawals: readonly Withdrawal[];
}

/** That a publication was taken back from readers, as it is told. */
export interface Withdrawal extends Pick<
  WithdrawalsTable,
  "run_id" | "published_at" | "withdrawn_at" | "withdrawn_by" | "why" | "outcome" | "ended_at" | "ended_by"
> {
  readonly execution_date: string;
}

/** A run that something is told of: one that has just ended, or one of the history. */
export interface ToldRun {
  readonly outcome: RunOutcome;
  /** What it has failed with, by its stable code or `BUG`. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
  readonly report: RunReport;
  /** Moments in UTC, as ISO 8601. */
  readonly startedAt?: string;
  readonly endedAt?: string | null;
  /** User, host and process id. */
  readonly startedBy?: string;
  readonly withdrawals?: readonly Withdrawal[];
}

/** A run as the database has it, with the withdrawals of what it had published among all there are. */
export function pastRunOf(
  { record, ...run }: PipelineRunsTable,
  withdrawals: readonly WithdrawalsTable[],
): PastRun {
  const ofRun = withdrawals.filter(({ run_id }) => run_id === run.run_id);
  return { ...run, report: reportOf({ ...run, record }), withdrawals: ofRun.map(withdrawalOf) };
}

/** Tells of a withdrawal which publication it is about, and who did what, when and why. */
export function withdrawalOf({ execution_date, ...withdrawal }: WithdrawalsTable): Withdrawal {
  const { run_id, published_at, withdrawn_at, withdrawn_by, why, outcome, ended_at, ended_by } = withdrawal;
  return {
    execution_date: isoOfKey(execution_date),
    run_id,
    published_at,
    withdrawn_at,
    withdrawn_by,
    why,
    outcome,
    ended_at,
    ended_by,
  };
}

/** A run of the history, for whoever tells of it. */
export function toldRunOf(run: PastRun): ToldRun {
  const { outcome, error_code, error_message, started_at, ended_at, started_by, withdrawals } = run;
  return {
    outcome,
    fault: error_code === null ? undefined : { code: error_code, message: error_message ?? "" },
    report: run.report ?? emptyReport(run),
    startedAt: started_at,
    endedAt: ended_at,
    startedBy: started_by,
    withdrawals,
  };
}
