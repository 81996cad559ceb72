import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import type { Publication } from "../voucher/publication-identity.js";
import { translatingErrors, type Consumption } from "./consumption.js";
import { openConsumptionOutside } from "./open-consumption.js";
import { openWithdrawal } from "./publication-withdrawals.js";
import { shownPublication } from "./publish-transaction.js";
import { outcomeOf } from "./recorded-runs.js";
import type { RunOutcome } from "./schema.js";

/** The state of a run that other connections must see. */
export interface SeenRun {
  readonly runId: string;
  readonly outcome: RunOutcome;
  /** The publication of the run, if it published. */
  readonly published?: Publication | undefined;
}

/**
 * Checks that other connections see the end of a run and its publication. It uses a connection that it opens by the
 * address of the database. A file can be replaced under an open connection, and a server can hide the writes of one
 * connection from all others.
 * @param inside the connection by which the run writes.
 * @throws PipelineError CONSUMPTION_LOST, LOCK_LOST if another run of the date has found this one dead, or
 * CONSUMPTION_UNAVAILABLE if the check is not possible.
 */
export async function assertSeenOutside(url: string, inside: Consumption, run: SeenRun): Promise<void> {
  const unseen = await asking(url, inside, async (outside) => (await unseenOf(outside, run)) ?? null);
  if (unseen !== null) throw lost(inside, unseen);
}

/** The fault of a run: CONSUMPTION_LOST if its database failed because the database at the address is another one now. */
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
      // If another file at the path has the same side files, it can look like the original one.
      if (!(await inside.isCurrent())) throw lost(inside, "another file replaced it");
      return await translatingErrors(outside.dialect, () => question(outside));
    } finally {
      await outside.close();
    }
  } catch (error) {
    // The database at the address is not readable, so it is not the one that the run opened.
    const isUsage = error instanceof PipelineError && error.kind === "usage";
    if (!isUsage && (error instanceof PipelineError || systemCodeOf(error) === undefined)) throw error;
    throw lost(inside, messageOf(error), error);
  }
}

/** The state that other connections do not see; undefined if they see all of it. */
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
  // Somebody withdrew the same data, before the run or just now.
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
