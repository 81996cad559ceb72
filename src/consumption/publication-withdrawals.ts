import { isDeepStrictEqual } from "node:util";
import type { SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { printable } from "../base/words.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { storedJson, translatingErrors, unlessMissing, type Consumption, type Query } from "./consumption.js";
import { standInLine, inTransaction } from "./publish-line.js";
import { countRowsByDate } from "./published-rows.js";
import { newestIn } from "./read-publications.js";
import type {
  ConsumptionDatabase,
  ConsumptionTables,
  PublicationsTable,
  WithdrawalsTable,
} from "./schema.js";

/** The time, the person and the reason of a withdrawal. */
export type WithdrawalReason = Pick<WithdrawalsTable, "withdrawn_at" | "withdrawn_by" | "why">;
/** The time, the person and the outcome of the end of a withdrawal. */
export type WithdrawalEnd = Pick<WithdrawalsTable, "outcome" | "ended_at" | "ended_by">;

/** The result of a withdrawal, and the publication that readers see then. */
export interface WithdrawalResult {
  readonly withdrawal: WithdrawalsTable;
  /** The partition key of the newest publication; undefined if nothing is published. */
  readonly newest: string | undefined;
}

/**
 * Withdraws the publication of an execution date, in one transaction: readers see the previous one. Its rows stay in
 * the published tables, for a restore. Safe to repeat with the same reason, which has the moment and the caller.
 * @throws PipelineError PUBLICATION_MISSING if the date is not published, or is already withdrawn.
 */
export function withdraw(
  consumption: Consumption,
  executionDate: ExecutionDate,
  { withdrawn_at: now, ...who }: WithdrawalReason,
): Promise<WithdrawalResult> {
  return inLine(consumption, async (transaction) => {
    const { partitionKey, iso } = executionDate;
    const reason = { withdrawn_at: await freeMoment(transaction, partitionKey, now), ...who };
    const before = await openWithdrawal(transaction, partitionKey);
    // The same withdrawal succeeded, but its confirmation was lost.
    if (before !== undefined && isBecauseOf(before, reason)) return before;
    if (before !== undefined) {
      const { withdrawn_by, withdrawn_at, why } = before;
      throw missing(`${iso} is already withdrawn, by ${withdrawn_by} at ${withdrawn_at}: ${printable(why)}`);
    }
    const publication = await publicationIn(transaction, partitionKey);
    if (publication === undefined) throw missing(`${iso} is not published; see npx pipeline runs -e ${iso}`);
    const withdrawal: WithdrawalsTable = {
      ...publication,
      ...reason,
      outcome: "withdrawn",
      ended_at: null,
      ended_by: null,
    };
    await transaction.insertInto("withdrawals").values(withdrawal).execute();
    failpoint("withdraw: withdrawal written");
    await transaction.deleteFrom("publications").where("execution_date", "=", partitionKey).execute();
    return withdrawal;
  });
}

/**
 * Restores the withdrawn publication of an execution date, in one transaction. Safe to repeat with the same moment
 * and caller.
 * @throws PipelineError PUBLICATION_MISSING if the date is not withdrawn, or if its rows are gone.
 */
export async function restore(
  consumption: Consumption,
  executionDate: ExecutionDate,
  by: Omit<WithdrawalEnd, "outcome">,
): Promise<WithdrawalResult> {
  await assertRowsKept(consumption, executionDate);
  return inLine(consumption, async (transaction) => {
    const { partitionKey, iso } = executionDate;
    const end: WithdrawalEnd = { outcome: "restored", ...by };
    const open = await openWithdrawal(transaction, partitionKey);
    if (open !== undefined) {
      await endWithdrawal(transaction, open, end);
      failpoint("restore: withdrawal ended");
      await transaction.insertInto("publications").values(publicationOf(open)).execute();
      return { ...open, ...end };
    }
    // The same restore succeeded, but its confirmation was lost.
    const restored = await restoredWithdrawal(transaction, partitionKey, end);
    if (restored !== undefined) return restored;
    const publication = await publicationIn(transaction, partitionKey);
    throw missing(
      publication === undefined
        ? `${iso} is neither withdrawn nor published; see npx pipeline runs -e ${iso}`
        : `${iso} is not withdrawn; readers see its publication of ${publication.published_at}`,
    );
  });
}

/** A rebuild of a table can leave out the rows of a withdrawn date. */
async function assertRowsKept(consumption: Consumption, { partitionKey, iso }: ExecutionDate): Promise<void> {
  const withdrawals = await readOpenWithdrawals(consumption);
  const open = withdrawals.find(({ execution_date }) => execution_date === partitionKey);
  if (open === undefined) return;
  const counts = storedJson(open.row_counts, `a withdrawal of ${iso} with row counts`);
  for (const [table, rows] of Object.entries(counts as Record<string, number>)) {
    const kept = (await countRowsByDate(consumption, table)).get(partitionKey) ?? 0;
    if (kept === rows) continue;
    throw missing(
      `the withdrawn publication of ${iso} had ${rows.toString()} rows in ${table}, and ${kept.toString()} are left. ` +
        `Run the date again with npx pipeline -e ${iso}`,
    );
  }
}

/** All withdrawals, the latest first; none if the database is older than the first one. */
export async function readWithdrawals(consumption: Consumption): Promise<WithdrawalsTable[]> {
  const latest = consumption.db
    .selectFrom("withdrawals")
    .selectAll()
    .orderBy("withdrawn_at", "desc")
    .orderBy("execution_date", "desc");
  return (await unlessMissing(consumption, ["withdrawals"], () => latest.execute())) ?? [];
}

/** The open withdrawals: readers do not see these publications. */
export async function readOpenWithdrawals(consumption: Consumption): Promise<WithdrawalsTable[]> {
  return (await readWithdrawals(consumption)).filter(({ outcome }) => outcome === "withdrawn");
}

/** The open withdrawal of an execution date, if there is one. */
export function openWithdrawal(
  db: ConsumptionDatabase,
  executionDate: string,
): Promise<WithdrawalsTable | undefined> {
  return withdrawalOf(db, executionDate).executeTakeFirst();
}

/** The query for the open withdrawal. */
export function withdrawalOf(
  db: ConsumptionDatabase,
  executionDate: string,
): SelectQueryBuilder<ConsumptionTables, "withdrawals", WithdrawalsTable> {
  return db
    .selectFrom("withdrawals")
    .selectAll()
    .where("execution_date", "=", executionDate)
    .where("outcome", "=", "withdrawn");
}

/** Records the end of a withdrawal. */
export async function endWithdrawal(
  db: ConsumptionDatabase,
  withdrawal: WithdrawalsTable,
  end: WithdrawalEnd,
): Promise<void> {
  await withdrawalEnd(db, withdrawal, end).execute();
}

/** The query for the end of a withdrawal. */
export function withdrawalEnd(
  db: ConsumptionDatabase,
  { execution_date, withdrawn_at }: Pick<WithdrawalsTable, "execution_date" | "withdrawn_at">,
  end: WithdrawalEnd,
): Query {
  return db
    .updateTable("withdrawals")
    .set(end)
    .where("execution_date", "=", execution_date)
    .where("withdrawn_at", "=", withdrawn_at);
}

/** Does some work while nobody else changes the publications, and returns the publication that readers see then. */
function inLine(
  { db, dialect }: Consumption,
  work: (transaction: ConsumptionDatabase) => Promise<WithdrawalsTable>,
): Promise<WithdrawalResult> {
  return translatingErrors(dialect, () =>
    inTransaction(db, dialect.begin, async (transaction) => {
      await standInLine(transaction);
      const withdrawal = await work(transaction);
      return { withdrawal, newest: await newestIn(transaction) };
    }),
  );
}

/**
 * The moment of a withdrawal tells it from earlier ones of the date. If one has the same moment, this one gets the
 * next millisecond.
 */
async function freeMoment(db: ConsumptionDatabase, executionDate: string, moment: string): Promise<string> {
  const ended = await db
    .selectFrom("withdrawals")
    .select("withdrawn_at")
    .where("execution_date", "=", executionDate)
    .where("outcome", "!=", "withdrawn")
    .where("withdrawn_at", ">=", moment)
    .execute();
  const taken = new Set(ended.map(({ withdrawn_at }) => withdrawn_at));
  let free = moment;
  while (taken.has(free)) free = new Date(Date.parse(free) + 1).toISOString();
  return free;
}

function isBecauseOf(withdrawal: WithdrawalsTable, reason: WithdrawalReason): boolean {
  const { withdrawn_at, withdrawn_by, why } = withdrawal;
  return isDeepStrictEqual({ withdrawn_at, withdrawn_by, why }, reason);
}

function publicationIn(
  db: ConsumptionDatabase,
  executionDate: string,
): Promise<PublicationsTable | undefined> {
  return db
    .selectFrom("publications")
    .selectAll()
    .where("execution_date", "=", executionDate)
    .executeTakeFirst();
}

/** The withdrawal with exactly this end. */
function restoredWithdrawal(
  db: ConsumptionDatabase,
  executionDate: string,
  { outcome, ended_at, ended_by }: WithdrawalEnd,
): Promise<WithdrawalsTable | undefined> {
  return db
    .selectFrom("withdrawals")
    .selectAll()
    .where("execution_date", "=", executionDate)
    .where("outcome", "=", outcome)
    .where("ended_at", "=", ended_at)
    .where("ended_by", "=", ended_by)
    .executeTakeFirst();
}

function publicationOf(withdrawal: WithdrawalsTable): PublicationsTable {
  const { execution_date, run_id, sql_version, sql_hash, data_hash, row_counts, published_at } = withdrawal;
  return { execution_date, run_id, sql_version, sql_hash, data_hash, row_counts, published_at };
}

function missing(message: string): PipelineError {
  return new PipelineError("PUBLICATION_MISSING", message);
}
