import { openConsumptionForReading } from "../consumption/open.js";
import { readRunHistory, type RunFilter } from "../consumption/runs.js";
import type { PipelineRunsTable } from "../consumption/tables.js";
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
    const runs = await readRunHistory(consumption, filter);
    return runs.map(({ record, ...run }) => ({
      ...run,
      report: record === null ? null : parseRecord(record),
    }));
  } finally {
    await consumption.close();
  }
}
