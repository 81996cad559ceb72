import type { Kysely } from "kysely";
import { PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import type { Publication } from "../voucher/publication.js";
import { translatingErrors, type Consumption, type Dialect } from "./consumption.js";
import { standInLine } from "./publish-line.js";
import type { PublishedTable } from "./published-tables.js";
import { assertRunningIn } from "./runs.js";
import type { ConsumptionDatabase, PublicationsTable, PublishedRow, PublishedTables } from "./tables.js";
import { endWithdrawal, openWithdrawal, type WithdrawalReason } from "./withdrawals.js";

/** What a table shall hold for an execution date. */
export interface TableContent {
  readonly table: PublishedTable;
  readonly rows: readonly PublishedRow[];
}

/** What a publish did to a table. */
export interface TableChange {
  readonly table: string;
  readonly rows: number;
  readonly upserted: number;
  readonly removed: number;
}

export interface PublishResult {
  readonly tables: readonly TableChange[];
  /** Whether readers have something new: false where the same data had been published by the same SQL. */
  readonly isNew: boolean;
  /** Who has taken this very data back, and why, so that readers do not see it; null where nobody has. */
  readonly withdrawn: WithdrawalReason | null;
}

/**
 * Makes every table hold exactly the given rows for one execution date, and the publication visible, in one
 * transaction. Touches no other execution date. Safe to repeat: what is there already is not written again. Data that was withdrawn
 * stays withdrawn; other data ends the withdrawal.
 * @throws PipelineError LOCK_LOST where another run of the date has begun meanwhile.
 */
export function publish(
  { db, dialect }: Consumption,
  publication: Publication,
  contents: readonly TableContent[],
): Promise<PublishResult> {
  return translatingErrors(dialect, () =>
    dialect.transaction(db, async (transaction) => {
      failpoint("publish: transaction begun");
      await standInLine(transaction);
      await assertRunningIn(transaction, publication.runId);
      failpoint("publish: first in line");
      const tables: TableChange[] = [];
      for (const content of contents) {
        tables.push(await replaceRows(transaction, dialect, publication.executionDate.partitionKey, content));
        failpoint(`publish: ${content.table.name} written`);
      }
      const shown = await showPublication(transaction, rowOf(publication));
      failpoint("publish: publication written");
      return { tables, ...shown };
    }),
  );
}

async function replaceRows(
  transaction: ConsumptionDatabase,
  dialect: Dialect,
  executionDate: string,
  { table, rows }: TableContent,
): Promise<TableChange> {
  const published = transaction.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
  const keyOf = (row: PublishedRow) => JSON.stringify(table.key.map((column) => row[column]));
  const textOf = (row: PublishedRow) => JSON.stringify(table.columns.map(({ name }) => row[name]));
  const present = () =>
    published.selectFrom(table.name).selectAll().where("execution_date", "=", executionDate).execute();

  const before = new Map((await present()).map((row) => [keyOf(row), textOf(row)]));
  const wanted = new Map(rows.map((row) => [keyOf(row), textOf(row)]));
  const upserted = rows.filter((row) => before.get(keyOf(row)) !== textOf(row));
  const removed = [...before.keys()].filter((key) => !wanted.has(key));

  await dialect.upsert(published, table.name, table.key, upserted);
  failpoint(`publish: ${table.name} upserted`);
  for (const key of removed) {
    const values = JSON.parse(key) as PublishedRow[string][];
    let remove = published.deleteFrom(table.name);
    table.key.forEach((column, index) => {
      remove = remove.where(column, "=", values[index] ?? null);
    });
    await remove.execute();
  }
  if (upserted.length + removed.length > 0) assertSame(table, wanted, (await present()).map(textOf));
  return { table: table.name, rows: rows.length, upserted: upserted.length, removed: removed.length };
}

/** The audit of the publish: what the database gives back is what was to be published. */
function assertSame(table: PublishedTable, wanted: Map<string, string>, found: readonly string[]): void {
  const expected = new Set(wanted.values());
  const different = found.filter((text) => !expected.has(text));
  if (different.length > 0 || found.length !== expected.size) {
    throw new PipelineError(
      "AUDIT_FAILED",
      `the table ${table.name} gives back ${found.length.toString()} rows for ${expected.size.toString()} published ones; ` +
        `rows that differ, as ${table.columns.map(({ name }) => name).join(", ")}: ${different.slice(0, 20).join(" ")}`,
    );
  }
}

function rowOf(publication: Publication): PublicationsTable {
  return {
    execution_date: publication.executionDate.partitionKey,
    run_id: publication.runId,
    sql_version: publication.sqlVersion,
    sql_hash: publication.sqlHash,
    data_hash: publication.dataHash,
    row_counts: JSON.stringify(publication.rowCounts),
    published_at: publication.publishedAt,
  };
}

async function showPublication(
  transaction: ConsumptionDatabase,
  publication: PublicationsTable,
): Promise<Pick<PublishResult, "isNew" | "withdrawn">> {
  const withdrawal = await openWithdrawal(transaction, publication.execution_date);
  if (withdrawal?.data_hash === publication.data_hash) {
    const { withdrawn_at, withdrawn_by, why } = withdrawal;
    return { isNew: false, withdrawn: { withdrawn_at, withdrawn_by, why } };
  }
  if (withdrawal !== undefined) {
    const { published_at: ended_at, run_id: ended_by } = publication;
    await endWithdrawal(transaction, withdrawal, { outcome: "replaced", ended_at, ended_by });
  }
  return { isNew: await writePublication(transaction, publication), withdrawn: null };
}

/** @returns false where the same data stands there already, by the same SQL. */
async function writePublication(
  transaction: ConsumptionDatabase,
  publication: PublicationsTable,
): Promise<boolean> {
  const { execution_date, ...content } = publication;
  const shown = await transaction
    .selectFrom("publications")
    .select(["data_hash", "sql_hash"])
    .where("execution_date", "=", execution_date)
    .executeTakeFirst();
  if (shown === undefined) {
    await transaction.insertInto("publications").values(publication).execute();
    return true;
  }
  if (shown.data_hash === content.data_hash && shown.sql_hash === content.sql_hash) return false;
  await transaction
    .updateTable("publications")
    .set(content)
    .where("execution_date", "=", execution_date)
    .execute();
  return true;
}
