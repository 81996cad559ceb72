import { PipelineError } from "../base/errors.js";
import { startedBy } from "../base/this-process.js";
import type { Consumption } from "../consumption/consumption.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption, openConsumptionForReading } from "../consumption/open-consumption.js";
import { restore, withdraw, type WithdrawalResult } from "../consumption/publication-withdrawals.js";
import { withdrawalOf, type Withdrawal } from "../record/past-run.js";
import type { Settings } from "../settings/settings.js";
import { isoOfKey, type ExecutionDate } from "../voucher/execution-date.js";

/** A publication that was taken back, or given back, and what readers see now. */
export interface WithdrawalReport extends Withdrawal {
  /** The execution date of the newest publication; null if nothing is published any more. */
  readonly newest: string | null;
}

/**
 * Takes the publication of an execution date back: readers see the one before it at once. It stays withdrawn until it is restored, or
 * a run of the date publishes other data.
 * @param why is for the history.
 * @throws PipelineError PUBLICATION_MISSING if the date is not published, or was withdrawn before.
 */
export function withdrawPublication(
  settings: Settings,
  executionDate: ExecutionDate,
  why: string,
): Promise<WithdrawalReport> {
  const reason = { withdrawn_at: new Date().toISOString(), withdrawn_by: startedBy(), why };
  return changing(settings, (consumption) => withdraw(consumption, executionDate, reason));
}

/**
 * Gives readers back the publication of an execution date that was withdrawn.
 * @throws PipelineError PUBLICATION_MISSING if the date is not withdrawn.
 */
export function restorePublication(
  settings: Settings,
  executionDate: ExecutionDate,
): Promise<WithdrawalReport> {
  const end = { ended_at: new Date().toISOString(), ended_by: startedBy() };
  return changing(settings, (consumption) => restore(consumption, executionDate, end));
}

async function changing(
  { consumptionUrl }: Settings,
  change: (consumption: Consumption) => Promise<WithdrawalResult>,
): Promise<WithdrawalReport> {
  await assertThere(consumptionUrl);
  const consumption = await openConsumption(consumptionUrl);
  try {
    // A database in which only an earlier version has published has no table of withdrawals.
    await migrate(consumption);
    const { withdrawal, newest } = await change(consumption);
    return { ...withdrawalOf(withdrawal), newest: newest === undefined ? null : isoOfKey(newest) };
  } finally {
    await consumption.close();
  }
}

/** To open a database that is not there makes it, and there is nothing in it to take back. */
async function assertThere(consumptionUrl: string): Promise<void> {
  const found = await openConsumptionForReading(consumptionUrl);
  if (found === undefined) throw nothingPublished();
  await found.close();
}

/** The fault of asking for what is published if nothing is. */
export function nothingPublished(): PipelineError {
  return new PipelineError(
    "PUBLICATION_MISSING",
    "nothing is published; run the pipeline first, or see npx pipeline status",
  );
}
