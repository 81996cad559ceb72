import { openConsumptionForReading } from "../consumption/open.js";
import { readRunHistory, type RunFilter } from "../consumption/runs.js";
import { readWithdrawals } from "../consumption/withdrawals.js";
import { pastRunOf, type PastRun } from "../record/past-run.js";
import type { Settings } from "../settings/settings.js";

export type { RunFilter };

/** Reads the history of runs, the latest first; empty where no run has made the database yet. */
export async function readHistory({ consumptionUrl }: Settings, filter: RunFilter): Promise<PastRun[]> {
  const consumption = await openConsumptionForReading(consumptionUrl);
  if (consumption === undefined) return [];
  try {
    const runs = await readRunHistory(consumption, filter);
    const withdrawals = await readWithdrawals(consumption);
    return runs.map((run) => pastRunOf(run, withdrawals));
  } finally {
    await consumption.close();
  }
}
