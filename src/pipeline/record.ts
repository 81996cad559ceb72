import { recordEnd, recordProgress, recordStart } from "../consumption/runs.js";
import { keepSqlVersion } from "../consumption/sql-versions.js";
import { messageOf, PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import type { RunContext } from "./context.js";
import { tellObservers, type EndedRun } from "./observers/observer.js";
import { observers } from "./observers/observers.js";
import type { RunReport } from "./report.js";
import { startedBy } from "./started-by.js";

/**
 * Does a run, and records in the consumption database that it has begun and how it has ended, with what is known of it. Those who
 * observe runs are told of both.
 * @returns the report of a run that has succeeded.
 */
export async function recorded(context: RunContext, run: () => Promise<void>): Promise<RunReport> {
  const { activity, consumption, executionDate, journal, runId, stages, version } = context;
  const startedAt = new Date().toISOString();
  await keepSqlVersion(consumption, version);
  await recordStart(consumption, {
    run_id: runId,
    execution_date: executionDate.partitionKey,
    stages: stages.join(","),
    started_at: startedAt,
    started_by: startedBy(),
    sql_version: version.name,
    sql_hash: version.hash,
  });
  await tellObservers(context, observers, (observer) => observer.began?.(context, startedAt));
  const tellEnd = async (end: Pick<EndedRun, "outcome" | "fault">) => {
    const atEnd = { ...end, report: journal.report(), startedAt, endedAt: new Date().toISOString() };
    const ended = { ...atEnd, isRecorded: await recordOutcome(context, atEnd) };
    await tellObservers(context, observers, (observer) => observer.ended?.(context, ended));
    // What the observers have noted and warned of. It takes no part in how long the run took.
    const report = { ...journal.report(), seconds: ended.report.seconds };
    if (ended.isRecorded) await recordAfterwards(context, report);
    return report;
  };
  try {
    await run();
  } catch (error) {
    const { run_report } = await tellEnd(failureOf(error));
    if (error instanceof PipelineError && run_report !== null) error.report = run_report.html;
    throw error;
  }
  // Readers see what the run has made: it has not failed, whatever becomes of its record.
  const report = await tellEnd({ outcome: "succeeded", fault: undefined });
  failpoint("end recorded");
  return { ...report, warnings: activity.warnings };
}

function failureOf(error: unknown): Pick<EndedRun, "outcome" | "fault"> {
  const fault = error instanceof PipelineError ? error : undefined;
  return {
    outcome: fault?.kind === "cancelled" ? "cancelled" : "failed",
    fault: { code: fault?.code ?? "BUG", message: messageOf(error) },
  };
}

/**
 * Where a run has failed, that is what is told, and not what goes wrong here.
 * @returns whether the database has it.
 */
async function recordOutcome(
  { activity, consumption, runId }: RunContext,
  { outcome, fault, report, endedAt }: Omit<EndedRun, "isRecorded">,
): Promise<boolean> {
  try {
    await recordEnd(consumption, runId, {
      outcome,
      ended_at: endedAt,
      error_code: fault?.code ?? null,
      error_message: fault?.message ?? null,
      record: JSON.stringify(report),
    });
    failpoint("failure recorded");
    return true;
  } catch (recordError) {
    // A run without an end is found as killed.
    activity.warn(`the end of the run could not be recorded: ${messageOf(recordError)}`);
    return false;
  }
}

async function recordAfterwards(
  { activity, consumption, runId }: RunContext,
  report: RunReport,
): Promise<void> {
  try {
    await recordProgress(consumption, runId, JSON.stringify(report));
  } catch (error) {
    activity.warn(`what was told of the run could not be recorded: ${messageOf(error)}`);
  }
}
