import type { Compilable, Kysely } from "kysely";
import { PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { isoOfKey } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication.js";
import { translatingErrors, type Consumption, type Dialect } from "./consumption.js";
import { newestIn, newestOf } from "./publications.js";
import { firstTurn, standInLine, turn } from "./publish-line.js";
import type { PublishedTable } from "./published-tables.js";
import { assertRunningIn, outcomeOf } from "./runs.js";
import type {
  ConsumptionDatabase,
  PublicationsTable,
  PublishedRow,
  PublishedTables,
  PublishedValue,
} from "./tables.js";
import { inTransaction } from "./transaction.js";
import {
  endWithdrawal,
  openWithdrawal,
  withdrawalEnd,
  withdrawalOf,
  type WithdrawalReason,
} from "./withdrawals.js";

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
  /** The execution date that readers see now; null where nothing is to be seen. */
  readonly newest: string | null;
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
    inTransaction(db, dialect.begin, async (transaction) => {
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
      const newest = await newestIn(transaction);
      return { tables, ...shown, newest: newest === undefined ? null : isoOfKey(newest) };
    }),
  );
}

async function replaceRows(
  transaction: ConsumptionDatabase,
  dialect: Dialect,
  executionDate: string,
  { table, rows }: TableContent,
): Promise<TableChange> {
  const published = publishedTables(transaction);
  const keyOf = (row: PublishedRow) => JSON.stringify(table.key.map((column) => row[column]));
  const textOf = (row: PublishedRow) => JSON.stringify(table.columns.map(({ name }) => row[name]));
  const present = () => presentRows(published, table, executionDate).execute();

  const before = new Map((await present()).map((row) => [keyOf(row), textOf(row)]));
  const wanted = new Map(rows.map((row) => [keyOf(row), textOf(row)]));
  const upserted = rows.filter((row) => before.get(keyOf(row)) !== textOf(row));
  const removed = [...before.keys()].filter((key) => !wanted.has(key));

  for (const query of dialect.upserts(published, table.name, table.key, upserted)) await query.execute();
  failpoint(`publish: ${table.name} upserted`);
  for (const key of removed) {
    await removal(published, table, JSON.parse(key) as PublishedValue[]).execute();
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
  const shown = await shownPublication(transaction, publication.execution_date).executeTakeFirst();
  if (shown === undefined) {
    await newPublication(transaction, publication).execute();
    return true;
  }
  if (shown.data_hash === publication.data_hash && shown.sql_hash === publication.sql_hash) return false;
  await changedPublication(transaction, publication).execute();
  return true;
}

/** A statement of a publish, with a `?` in the place of each value. */
export interface PublishStatement {
  readonly sql: string;
  /** When it is said; null for always. */
  readonly when: string | null;
}

/** What a publish says to the database, in its order. */
export function publishStatements(
  { db, dialect }: Consumption,
  tables: readonly PublishedTable[],
): PublishStatement[] {
  const published = publishedTables(db);
  const publication: PublicationsTable = {
    execution_date: "",
    run_id: "",
    sql_version: "",
    sql_hash: "",
    data_hash: "",
    row_counts: "",
    published_at: "",
  };
  const said = (query: Compilable, when: string | null = null) => ({ sql: query.compile().sql, when });
  const rowOf = ({ columns }: PublishedTable) => Object.fromEntries(columns.map(({ name }) => [name, ""]));
  return [
    { sql: dialect.begin, when: null },
    said(turn(db)),
    said(firstTurn(db), "before the first publish"),
    said(outcomeOf(db, "")),
    ...tables.flatMap((table) => [
      said(presentRows(published, table, "")),
      ...[...dialect.upserts(published, table.name, table.key, [rowOf(table)])].map((query) =>
        said(query, "for rows that are new or differ"),
      ),
      said(removal(published, table, []), "for each row that is gone"),
      said(presentRows(published, table, ""), "where a row was written or removed, to compare"),
    ]),
    said(withdrawalOf(db, "")),
    said(
      withdrawalEnd(
        db,
        { execution_date: "", withdrawn_at: "" },
        { outcome: "replaced", ended_at: "", ended_by: "" },
      ),
      "where other data was withdrawn",
    ),
    said(shownPublication(db, "")),
    said(newPublication(db, publication), "where the date was not published"),
    said(changedPublication(db, publication), "where other data, or by other SQL, was"),
    said(newestOf(db)),
    { sql: "COMMIT", when: null },
  ];
}

function publishedTables(db: ConsumptionDatabase): Kysely<PublishedTables> {
  return db.withTables<PublishedTables>();
}

function presentRows(db: Kysely<PublishedTables>, { name }: PublishedTable, executionDate: string) {
  return db.selectFrom(name).selectAll().where("execution_date", "=", executionDate);
}

/** @param values those of the key, in its order. */
function removal(
  db: Kysely<PublishedTables>,
  { name, key }: PublishedTable,
  values: readonly PublishedValue[],
) {
  return key.reduce(
    (remove, column, index) => remove.where(column, "=", values[index] ?? null),
    db.deleteFrom(name),
  );
}

function shownPublication(db: ConsumptionDatabase, executionDate: string) {
  return db
    .selectFrom("publications")
    .select(["data_hash", "sql_hash"])
    .where("execution_date", "=", executionDate);
}

function newPublication(db: ConsumptionDatabase, publication: PublicationsTable) {
  return db.insertInto("publications").values(publication);
}

function changedPublication(db: ConsumptionDatabase, { execution_date, ...content }: PublicationsTable) {
  return db.updateTable("publications").set(content).where("execution_date", "=", execution_date);
}
