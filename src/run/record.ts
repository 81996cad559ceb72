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

/** How a run ends, but for what was known when it began. */
type End = Omit<EndedRun, "startedAt" | "startedBy">;

/** Those who are told of runs. */
const observers: readonly RunObserver[] = [logged, openLineage, runReport, notify, metrics];

/** The record of a run that is under way. Those who observe runs are told when it begins and when it has ended. */
export interface OpenRecord {
  /** Of a run that is killed, too, the record tells what it had read and made by then. */
  save(): Promise<void>;
  /**
   * Records that the run has succeeded: nothing can fail any more but that.
   * @throws PipelineError CONSUMPTION_LOST if others do not see that, or do not see what it published.
   */
  succeed(published: Publication | undefined): Promise<void>;
  /** Tells of a run that has succeeded. @returns its report. */
  end(): Promise<RunReport>;
  /** Records and tells that the run has failed. @returns the fault to throw. */
  fail(error: unknown): Promise<unknown>;
}

/** Records in the consumption database that a run has begun, and gives what records how it ends, with what is known of it. */
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
    // What the observers have noted and warned of. It takes no part in how long the run took.
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

/** A run that ends well has a record that others read. */
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

/** The failure of the run is what is told, and not what goes wrong here. */
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
    // A run without an end is found as killed.
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
