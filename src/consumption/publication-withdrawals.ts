import { isDeepStrictEqual } from "node:util";
import type { SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { printable } from "../base/words.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { translatingErrors, unlessMissing, type Consumption, type Query } from "./consumption.js";
import { standInLine, inTransaction } from "./publish-line.js";
import { newestIn } from "./read-publications.js";
import type {
  ConsumptionDatabase,
  ConsumptionTables,
  PublicationsTable,
  WithdrawalsTable,
} from "./schema.js";

/** Who has taken a publication back, when and why. */
export type WithdrawalReason = Pick<WithdrawalsTable, "withdrawn_at" | "withdrawn_by" | "why">;
/** Who has ended a withdrawal, when and how. */
export type WithdrawalEnd = Pick<WithdrawalsTable, "outcome" | "ended_at" | "ended_by">;

/** What became of a withdrawal, and what readers see then. */
export interface WithdrawalResult {
  readonly withdrawal: WithdrawalsTable;
  /** The partition key of the newest publication; undefined if nothing is published any more. */
  readonly newest: string | undefined;
}

/**
 * Takes the publication of an execution date back, in one transaction: readers see the one before. Its rows stay in the published
 * tables, for a restore. Safe to repeat with the same reason, which has the moment and the caller.
 * @throws PipelineError PUBLICATION_MISSING if the date is not published, or was withdrawn before.
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
    // Where the same was done and the answer was lost on its way.
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
 * Gives readers back the publication of an execution date that was withdrawn, in one transaction. Safe to repeat with the same
 * moment and caller.
 * @throws PipelineError PUBLICATION_MISSING if the date is not withdrawn.
 */
export function restore(
  consumption: Consumption,
  executionDate: ExecutionDate,
  by: Omit<WithdrawalEnd, "outcome">,
): Promise<WithdrawalResult> {
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
    // Where the same was done and the answer was lost on its way.
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

/** All withdrawals there ever were, the latest first; none if the database is older than the first one. */
export async function readWithdrawals(consumption: Consumption): Promise<WithdrawalsTable[]> {
  const latest = consumption.db
    .selectFrom("withdrawals")
    .selectAll()
    .orderBy("withdrawn_at", "desc")
    .orderBy("execution_date", "desc");
  return (await unlessMissing(consumption, ["withdrawals"], () => latest.execute())) ?? [];
}

/** Those that hold: readers do not see the publication. */
export async function readOpenWithdrawals(consumption: Consumption): Promise<WithdrawalsTable[]> {
  return (await readWithdrawals(consumption)).filter(({ outcome }) => outcome === "withdrawn");
}

/** The withdrawal of an execution date that holds, if there is one. */
export function openWithdrawal(
  db: ConsumptionDatabase,
  executionDate: string,
): Promise<WithdrawalsTable | undefined> {
  return withdrawalOf(db, executionDate).executeTakeFirst();
}

/** The query for it. */
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

/** Records that a withdrawal does not hold any more. */
export async function endWithdrawal(
  db: ConsumptionDatabase,
  withdrawal: WithdrawalsTable,
  end: WithdrawalEnd,
): Promise<void> {
  await withdrawalEnd(db, withdrawal, end).execute();
}

/** The query for it. */
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

/** Does something while nobody else changes what is published, and tells what readers see then. */
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

/** The moment of a withdrawal tells it from earlier ones of the date. So it is a millisecond later if one has the same. */
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

/** The withdrawal that has been ended just so. */
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
