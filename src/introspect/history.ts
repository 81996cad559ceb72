import { readWithdrawals } from "../consumption/publication-withdrawals.js";
import { readRunHistory, type RunFilter } from "../consumption/recorded-runs.js";
import { pastRunOf, type PastRun } from "../record/past-run.js";
import type { Settings } from "../settings/settings.js";
import { looking } from "./looking.js";

/** Reads the run history, the latest first; empty if no run has created the database yet. */
export function readHistory(settings: Settings, filter: RunFilter): Promise<PastRun[]> {
  return looking(settings, undefined, async (opened) => {
    const consumption = await opened.database();
    if (consumption === undefined) return [];
    const runs = await readRunHistory(consumption, filter);
    const withdrawals = await readWithdrawals(consumption);
    return runs.map((run) => pastRunOf(run, withdrawals));
  });
}
