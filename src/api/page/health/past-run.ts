import type { PipelineRunsTable } from "../../../consumption/tables.js";
import { type ExecutionDate, executionDateOfKey } from "../../../voucher/execution-date.js";
import { readRunRecord, type RunRecord } from "./run-record.js";

/** A run there was, or one that is under way, as a page tells of it. */
export interface PastRun {
  readonly id: string;
  /** Its partition key is all that is known where it is none that people could read. */
  readonly executionDate: ExecutionDate | string;
  readonly outcome: PipelineRunsTable["outcome"];
  readonly stages: readonly string[];
  /** Undefined where it cannot be read. */
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly errorCode: string | null;
  readonly errorMessage: string | null;
  readonly record: RunRecord;
}

/** A run as it is recorded. */
export function pastRunOf(run: PipelineRunsTable): PastRun {
  return {
    id: run.run_id,
    executionDate: executionDateOfKey(run.execution_date) ?? run.execution_date,
    outcome: run.outcome,
    stages: run.stages.split(","),
    startedAt: maybeMoment(run.started_at),
    endedAt: maybeMoment(run.ended_at),
    errorCode: run.error_code,
    errorMessage: run.error_message,
    record: readRunRecord(run.record),
  };
}

function maybeMoment(text: string | null): Date | undefined {
  const moment = new Date(text ?? "");
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
