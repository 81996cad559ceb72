import os from "node:os";
import { recordEnd, recordStart } from "../consumption/runs.js";
import { keepSqlVersion } from "../consumption/sql-versions.js";
import { messageOf, PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import type { RunContext } from "./context.js";
import type { RunReport } from "./report.js";

/**
 * Does a run, and records in the consumption database that it has begun and how it has ended, with what is known of it.
 * @returns the report of a run that has succeeded.
 */
export async function recorded(context: RunContext, run: () => Promise<void>): Promise<RunReport> {
  const { activity, consumption, executionDate, journal, runId, stages, version } = context;
  await keepSqlVersion(consumption, version);
  await recordStart(consumption, {
    run_id: runId,
    execution_date: executionDate.partitionKey,
    stages: stages.join(","),
    started_at: new Date().toISOString(),
    started_by: `${userName()}@${os.hostname()} process ${process.pid}`,
    sql_version: version.name,
    sql_hash: version.hash,
  });
  try {
    await run();
  } catch (error) {
    await recordOutcome(context, journal.report(), error);
    throw error;
  }
  const report = journal.report();
  // Readers see what the run has made: it has not failed, whatever becomes of its record.
  await recordOutcome(context, report);
  failpoint("end recorded");
  return { ...report, warnings: activity.warnings };
}

/** @param error what the run has failed with. It, and not what goes wrong here, is what is told. */
async function recordOutcome(
  { activity, consumption, runId }: RunContext,
  report: RunReport,
  error?: unknown,
): Promise<void> {
  const fault = error instanceof PipelineError ? error : undefined;
  const failure = fault?.kind === "cancelled" ? "cancelled" : "failed";
  try {
    await recordEnd(consumption, runId, {
      outcome: error === undefined ? "succeeded" : failure,
      ended_at: new Date().toISOString(),
      error_code: error === undefined ? null : (fault?.code ?? "BUG"),
      error_message: error === undefined ? null : messageOf(error),
      record: JSON.stringify(report),
    });
    failpoint("failure recorded");
  } catch (recordError) {
    // A run without an end is found as killed.
    activity.warn(`the end of the run could not be recorded: ${messageOf(recordError)}`);
  }
}

/** In a container the user may have a number and no name. */
function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}
