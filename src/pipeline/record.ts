import { recordEnd, recordStart } from "../consumption/runs.js";
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
    const ended = { ...end, report: journal.report(), startedAt, endedAt: new Date().toISOString() };
    await recordOutcome(context, ended);
    await tellObservers(context, observers, (observer) => observer.ended?.(context, ended));
    return ended.report;
  };
  try {
    await run();
  } catch (error) {
    await tellEnd(failureOf(error));
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

/** Where a run has failed, that is what is told, and not what goes wrong here. */
async function recordOutcome(
  { activity, consumption, runId }: RunContext,
  { outcome, fault, report, endedAt }: EndedRun,
): Promise<void> {
  try {
    await recordEnd(consumption, runId, {
      outcome,
      ended_at: endedAt,
      error_code: fault?.code ?? null,
      error_message: fault?.message ?? null,
      record: JSON.stringify(report),
    });
    failpoint("failure recorded");
  } catch (recordError) {
    // A run without an end is found as killed.
    activity.warn(`the end of the run could not be recorded: ${messageOf(recordError)}`);
  }
}
