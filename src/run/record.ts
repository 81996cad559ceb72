import { messageOf, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { startedBy } from "../base/this-process.js";
import { assertSeenOutside, databaseFaultOf } from "../consumption/outside.js";
import { recordEnd, recordProgress, recordStart } from "../consumption/recorded-runs.js";
import { keepSqlVersion } from "../consumption/sql-versions.js";
import type { RunReport } from "../record/run-record.js";
import type { Publication } from "../voucher/publication-identity.js";
import type { RunContext } from "./context.js";
import { metrics } from "./observers/metrics.js";
import { notify } from "./observers/notify.js";
import { tellObservers, type EndedRun, type RunObserver } from "./observers/observer.js";
import { openLineage } from "./observers/openlineage/openlineage.js";
import { logged } from "./observers/run-log.js";
import { runReport } from "./observers/run-report.js";

/** The end of a run, without the facts that were known at the start. */
type End = Omit<EndedRun, "startedAt" | "startedBy">;

/** The observers of runs. */
const observers: readonly RunObserver[] = [logged, openLineage, runReport, notify, metrics];

/** The record of a run in progress. Observers receive the start and the end of the run. */
export interface OpenRecord {
  /** Saves the progress, so that the record of a killed run has its inputs and outputs so far. */
  save(): Promise<void>;
  /**
   * Records that the run has succeeded. Only this record can still fail.
   * @throws PipelineError CONSUMPTION_LOST if others do not see the record or the publication.
   */
  succeed(published: Publication | undefined): Promise<void>;
  /** Notifies the observers of a successful run. @returns its report. */
  end(): Promise<RunReport>;
  /** Records a failed run and notifies the observers. @returns the fault to throw. */
  fail(error: unknown): Promise<unknown>;
}

/** Records in the consumption database that a run has begun. It returns the record, which takes the end of the run. */
export async function beginRecord(context: RunContext): Promise<OpenRecord> {
  const { activity, consumption, executionDate, journal, runId, stages, version } = context;
  const startedAt = new Date().toISOString();
  const starter = startedBy();
  await keepSqlVersion(consumption, version);
  await recordStart(consumption, {
    run_id: runId,
    execution_date: executionDate.partitionKey,
    stages: stages.join(","),
    started_at: startedAt,
    started_by: starter,
    sql_version: version.name,
    sql_hash: version.hash,
  });
  await tellObservers(context, observers, (observer) => observer.began?.(context, startedAt));
  const tellEnd = async (ended: End) => {
    await tellObservers(context, observers, (observer) =>
      observer.ended?.(context, { ...ended, startedAt, startedBy: starter }),
    );
    // Includes the notes and warnings of the observers. They do not count in the duration of the run.
    const report = { ...journal.report(), seconds: ended.report.seconds };
    if (ended.isRecorded) await recordAfterwards(context, report);
    return report;
  };
  let endedAt = startedAt;
  return {
    save: () => recordProgress(consumption, runId, JSON.stringify(journal.report())),
    succeed: async (published) => {
      endedAt = new Date().toISOString();
      await recordSuccess(context, endedAt, published);
    },
    end: async () => {
      const end = { outcome: "succeeded", fault: undefined, isRecorded: true } as const;
      const report = await tellEnd({ ...end, report: journal.report(), endedAt });
      failpoint("end recorded");
      return { ...report, warnings: activity.warnings };
    },
    fail: async (error) => {
      const fault = await databaseFaultOf(consumption, error);
      const { run_report } = await tellEnd(await recordFailure(context, failureOf(fault)));
      if (fault instanceof PipelineError && run_report !== null) fault.report = run_report.html;
      return fault;
    },
  };
}

function failureOf(error: unknown): Pick<EndedRun, "outcome" | "fault"> {
  const fault = error instanceof PipelineError ? error : undefined;
  return {
    outcome: fault?.kind === "cancelled" ? "cancelled" : "failed",
    fault: { code: fault?.code ?? "BUG", message: messageOf(error) },
  };
}

/** A successful run has a record that others read. */
async function recordSuccess(
  { consumption, journal, runId, settings }: RunContext,
  endedAt: string,
  published: Publication | undefined,
): Promise<void> {
  await recordEnd(consumption, runId, {
    outcome: "succeeded",
    ended_at: endedAt,
    error_code: null,
    error_message: null,
    record: JSON.stringify(journal.report()),
  });
  failpoint("success recorded");
  await assertSeenOutside(settings.consumptionUrl, consumption, { runId, outcome: "succeeded", published });
}

/** The failure of the run is the fault to report, not a failure here. */
async function recordFailure(
  { activity, consumption, journal, runId, settings }: RunContext,
  { outcome, fault }: Pick<EndedRun, "outcome" | "fault">,
): Promise<End> {
  const end = { outcome, fault, report: journal.report(), endedAt: new Date().toISOString() };
  try {
    await recordEnd(consumption, runId, {
      outcome,
      ended_at: end.endedAt,
      error_code: fault?.code ?? null,
      error_message: fault?.message ?? null,
      record: JSON.stringify(end.report),
    });
    failpoint("failure recorded");
    await assertSeenOutside(settings.consumptionUrl, consumption, { runId, outcome });
    return { ...end, isRecorded: true };
  } catch (recordError) {
    // A run without an end counts as killed.
    activity.warn(`cannot record the end of the run: ${messageOf(recordError)}`);
    return { ...end, isRecorded: false };
  }
}

async function recordAfterwards(
  { activity, consumption, runId }: RunContext,
  report: RunReport,
): Promise<void> {
  try {
    await recordProgress(consumption, runId, JSON.stringify(report));
  } catch (error) {
    activity.warn(`cannot record the notifications of the run: ${messageOf(error)}`);
  }
}
