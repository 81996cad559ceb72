import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open.js";
import { readRuns, type RunFilter } from "../consumption/runs.js";
import type { PipelineRunsTable, RunOutcome } from "../consumption/tables.js";
import type { Settings } from "../settings.js";
import { parseRecord } from "./journal.js";
import type { RunReport } from "./report.js";

export type { RunFilter };

/** A run that there was, or that is under way. */
export interface PastRun extends Omit<PipelineRunsTable, "record"> {
  /** What is known of it; of one that was killed, what was known at its last sign of life. */
  readonly report: RunReport | null;
}

/** Reads the history of runs, the latest first; empty where no run has made the database yet. */
export async function readHistory({ consumptionUrl }: Settings, filter: RunFilter): Promise<PastRun[]> {
  const consumption = await openConsumptionForReading(consumptionUrl);
  if (consumption === undefined) return [];
  try {
    const runs = await readRuns(consumption, filter);
    return await Promise.all(runs.map((run) => pastRun(consumption, run)));
  } finally {
    await consumption.close();
  }
}

async function pastRun(consumption: Consumption, { record, ...run }: PipelineRunsTable): Promise<PastRun> {
  return {
    ...run,
    outcome: await outcomeOf(consumption, run),
    report: record === null ? null : parseRecord(record),
  };
}

/** A run that is recorded as running, and does not hold the lock of its date, has died. */
async function outcomeOf(
  consumption: Consumption,
  { outcome, execution_date }: Pick<PipelineRunsTable, "outcome" | "execution_date">,
): Promise<RunOutcome> {
  if (outcome !== "running") return outcome;
  return (await consumption.isLocked(execution_date)) ? "running" : "killed";
}
