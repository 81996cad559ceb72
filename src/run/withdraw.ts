import { PipelineError } from "../base/errors.js";
import { startedBy } from "../base/this-process.js";
import type { Consumption } from "../consumption/consumption.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption, openConsumptionForReading } from "../consumption/open-consumption.js";
import { restore, withdraw, type WithdrawalResult } from "../consumption/publication-withdrawals.js";
import { withdrawalOf, type Withdrawal } from "../record/past-run.js";
import type { Settings } from "../settings/settings.js";
import { isoOfKey, type ExecutionDate } from "../voucher/execution-date.js";

/** A withdrawn or restored publication, and the publication that readers see now. */
export interface WithdrawalReport extends Withdrawal {
  /** The execution date of the newest publication; null if nothing is published. */
  readonly newest: string | null;
}

/**
 * Withdraws the publication of an execution date: readers see the previous one at once. It stays withdrawn until it
 * is restored, or until a run of the date publishes other data.
 * @param why the reason, for the history.
 * @throws PipelineError PUBLICATION_MISSING if the date is not published, or is already withdrawn.
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
 * Restores the withdrawn publication of an execution date.
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
    // A database with only publications of an older version has no table of withdrawals.
    await migrate(consumption);
    const { withdrawal, newest } = await change(consumption);
    return { ...withdrawalOf(withdrawal), newest: newest === undefined ? null : isoOfKey(newest) };
  } finally {
    await consumption.close();
  }
}

/** To open a missing database would create it, and it has no publication to withdraw. */
async function assertThere(consumptionUrl: string): Promise<void> {
  const found = await openConsumptionForReading(consumptionUrl);
  if (found === undefined) throw nothingPublished();
  await found.close();
}

/** The fault of a command that needs a publication, if nothing is published. */
export function nothingPublished(): PipelineError {
  return new PipelineError(
    "PUBLICATION_MISSING",
    "nothing is published; run the pipeline first, or see npx pipeline status",
  );
}
