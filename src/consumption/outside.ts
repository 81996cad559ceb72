import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import type { Publication } from "../voucher/publication-identity.js";
import { translatingErrors, type Consumption } from "./consumption.js";
import { openConsumptionOutside } from "./open-consumption.js";
import { openWithdrawal } from "./publication-withdrawals.js";
import { shownPublication } from "./publish-transaction.js";
import { outcomeOf } from "./recorded-runs.js";
import type { RunOutcome } from "./schema.js";

/** What others must see of a run. */
export interface SeenRun {
  readonly runId: string;
  readonly outcome: RunOutcome;
  /** What it published, if it did. */
  readonly published?: Publication | undefined;
}

/**
 * Makes sure that others see a run as it ended, and what it published, on a connection that is opened by the address of the database.
 * A file can be replaced under an open connection, and a server can keep from all others what a connection wrote.
 * @param inside the connection by which the run writes.
 * @throws PipelineError CONSUMPTION_LOST, LOCK_LOST if another run of the date has found this one dead, or CONSUMPTION_UNAVAILABLE
 * if nobody can tell.
 */
export async function assertSeenOutside(url: string, inside: Consumption, run: SeenRun): Promise<void> {
  const unseen = await asking(url, inside, async (outside) => (await unseenOf(outside, run)) ?? null);
  if (unseen !== null) throw lost(inside, unseen);
}

/** The fault of a run: CONSUMPTION_LOST if its database failed because it is not the one at the address any more. */
export async function databaseFaultOf(inside: Consumption, error: unknown): Promise<unknown> {
  const isOfDatabase = error instanceof PipelineError && error.code.startsWith("CONSUMPTION_");
  if (!isOfDatabase || error.code === "CONSUMPTION_LOST") return error;
  const isCurrent = await inside.isCurrent().catch(() => false);
  return isCurrent ? error : lost(inside, error.message, error);
}

async function asking<Answer>(
  url: string,
  inside: Consumption,
  question: (outside: Consumption) => Promise<Answer>,
): Promise<Answer> {
  try {
    const outside = await openConsumptionOutside(url);
    if (outside === undefined) throw lost(inside, "its file no longer exists");
    try {
      // With the files beside it, another file at the path can look like the one that was there.
      if (!(await inside.isCurrent())) throw lost(inside, "another file replaced it");
      return await translatingErrors(outside.dialect, () => question(outside));
    } finally {
      await outside.close();
    }
  } catch (error) {
    // What is at the address cannot be asked, and so is not what the run has opened there.
    const isUsage = error instanceof PipelineError && error.kind === "usage";
    if (!isUsage && (error instanceof PipelineError || systemCodeOf(error) === undefined)) throw error;
    throw lost(inside, messageOf(error), error);
  }
}

/** What others do not see; undefined if they see all. */
async function unseenOf(
  { db }: Consumption,
  { runId, outcome, published }: SeenRun,
): Promise<string | undefined> {
  const recorded = (await outcomeOf(db, runId).executeTakeFirst())?.outcome;
  if (recorded === "killed") {
    throw new PipelineError(
      "LOCK_LOST",
      "this run lost the lock of its execution date to another run; run again",
    );
  }
  if (recorded === undefined) return `the run ${runId} is not recorded there`;
  if (recorded !== outcome) return `the run ${runId} is recorded there as ${recorded}, not as ${outcome}`;
  if (published === undefined) return undefined;
  const { executionDate, dataHash, sqlHash } = published;
  const { partitionKey, iso } = executionDate;
  const shown = await shownPublication(db, partitionKey).executeTakeFirst();
  if (shown?.data_hash === dataHash && shown.sql_hash === sqlHash) return undefined;
  // Somebody has withdrawn this very data, before the run or just now.
  const withdrawal = await openWithdrawal(db, partitionKey);
  return withdrawal?.data_hash === dataHash ? undefined : `the publication of ${iso} does not exist there`;
}

function lost({ name }: Consumption, what: string, cause?: unknown): PipelineError {
  return new PipelineError(
    "CONSUMPTION_LOST",
    `another connection to the ${name} does not see what this run wrote: ${what}. The database was removed, moved or replaced ` +
      "during the run, or its server loses writes. Nothing was published. " +
      "Check CONSUMPTION_URL and run again",
    { cause },
  );
}
