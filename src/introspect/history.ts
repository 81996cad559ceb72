import { openConsumptionForReading } from "../consumption/open.js";
import { readRunHistory, type RunFilter } from "../consumption/runs.js";
import type { PipelineRunsTable } from "../consumption/tables.js";
import { readWithdrawals } from "../consumption/withdrawals.js";
import type { RunReport } from "../record/report.js";
import { parseRecord } from "../run/journal.js";
import { toldWithdrawal, type ToldWithdrawal } from "../run/withdrawals.js";
import type { Settings } from "../settings/settings.js";

export type { RunFilter };

/** A run that there was, or that is under way. */
export interface PastRun extends Omit<PipelineRunsTable, "record"> {
  /** What is known of it; of one that was killed, what was known at its last sign of life. */
  readonly report: RunReport | null;
  /** Whether and why what the run had published was taken back, the latest first. */
  readonly withdrawals: readonly ToldWithdrawal[];
}

/** Reads the history of runs, the latest first; empty where no run has made the database yet. */
export async function readHistory({ consumptionUrl }: Settings, filter: RunFilter): Promise<PastRun[]> {
  const consumption = await openConsumptionForReading(consumptionUrl);
  if (consumption === undefined) return [];
  try {
    const runs = await readRunHistory(consumption, filter);
    const withdrawals = (await readWithdrawals(consumption)).map(toldWithdrawal);
    return runs.map(({ record, ...run }) => ({
      ...run,
      report: record === null ? null : parseRecord(record),
      withdrawals: withdrawals.filter(({ run_id }) => run_id === run.run_id),
    }));
  } finally {
    await consumption.close();
  }
}
