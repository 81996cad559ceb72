import os from "node:os";
import { recordEnd, recordStart } from "../consumption/runs.js";
import { messageOf, PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import type { RunContext } from "./context.js";
import type { RunReport } from "./report.js";

/** Does a run, and records in the consumption database that it has begun and how it has ended. */
export async function recorded(
  context: Omit<RunContext, "lock">,
  run: () => Promise<RunReport>,
): Promise<RunReport> {
  const { activity, consumption, executionDate, runId, stages, version } = context;
  await recordStart(consumption, {
    run_id: runId,
    execution_date: executionDate.partitionKey,
    stages: stages.join(","),
    started_at: new Date().toISOString(),
    started_by: `${userName()}@${os.hostname()} process ${process.pid}`,
    sql_version: version.name,
    sql_hash: version.hash,
  });
  let report: RunReport;
  try {
    report = await run();
  } catch (error) {
    await recordFailure(context, error);
    throw error;
  }
  try {
    await recordEnd(consumption, runId, {
      outcome: "succeeded",
      ended_at: new Date().toISOString(),
      error_code: null,
      error_message: null,
      record: JSON.stringify(report),
    });
  } catch (error) {
    // Readers see what the run has made: it has not failed.
    activity.warn(`the end of the run could not be recorded: ${messageOf(error)}`);
  }
  failpoint("end recorded");
  return report;
}

async function recordFailure(
  { activity, consumption, runId }: Pick<RunContext, "activity" | "consumption" | "runId">,
  error: unknown,
): Promise<void> {
  const fault = error instanceof PipelineError ? error : undefined;
  try {
    await recordEnd(consumption, runId, {
      outcome: fault?.kind === "cancelled" ? "cancelled" : "failed",
      ended_at: new Date().toISOString(),
      error_code: fault?.code ?? "BUG",
      error_message: messageOf(error),
      record: null,
    });
  } catch (recordError) {
    // The fault of the run is the one to tell. A run without an end is found as killed by the next one of its date.
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
