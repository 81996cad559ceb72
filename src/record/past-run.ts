import type { PipelineRunsTable, RunOutcome, WithdrawalsTable } from "../consumption/schema.js";
import { isoOfKey } from "../voucher/execution-date.js";
import { emptyReport, reportOf, type RunReport } from "./run-record.js";

/** A finished or current run of the history, in the form that `--json` prints. */
export interface PastRun extends Omit<PipelineRunsTable, "record"> {
  /** The facts about it. For a killed run, these are the last facts that it recorded. Null if there are none. */
  readonly report: RunReport | null;
  /** The withdrawals of the run's publication, the latest first. */
  readonly withdrawals: readonly Withdrawal[];
}

/** A withdrawal of a publication, in the form of reports. */
export interface Withdrawal extends Pick<
  WithdrawalsTable,
  "run_id" | "published_at" | "withdrawn_at" | "withdrawn_by" | "why" | "outcome" | "ended_at" | "ended_by"
> {
  readonly execution_date: string;
}

/** A run in a report: one that has just ended, or one of the history. */
export interface ToldRun {
  readonly outcome: RunOutcome;
  /** The failure, with its stable code or `BUG`. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
  readonly report: RunReport;
  /** Moments in UTC, as ISO 8601. */
  readonly startedAt?: string;
  readonly endedAt?: string | null;
  /** User, host and process id. */
  readonly startedBy?: string;
  readonly withdrawals?: readonly Withdrawal[];
}

/** A run of the database, with the withdrawals of its publication, selected from all of them. */
export function pastRunOf(
  { record, ...run }: PipelineRunsTable,
  withdrawals: readonly WithdrawalsTable[],
): PastRun {
  const ofRun = withdrawals.filter(({ run_id }) => run_id === run.run_id);
  return { ...run, report: reportOf({ ...run, record }), withdrawals: ofRun.map(withdrawalOf) };
}

/** Describes a withdrawal: the publication, and the person, the action, the time and the reason. */
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

/** A run of the history, for reports. */
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
