import type { Compilable, Kysely, SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { isoOfKey } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { translatingErrors, type Consumption, type Dialect, type PublishedTable } from "./consumption.js";
import {
  endWithdrawal,
  openWithdrawal,
  withdrawalEnd,
  withdrawalOf,
  type WithdrawalReason,
} from "./publication-withdrawals.js";
import { firstTurn, standInLine, turn, Batches, inTransaction } from "./publish-line.js";
import {
  differencesOf,
  follows,
  hashOf,
  keyOf,
  readAhead,
  recordOfRows,
  RowsHash,
  withinDate,
  type Difference,
  type RowParts,
} from "./published-rows.js";
import { newestIn, newestOf } from "./read-publications.js";
import { assertRunningIn, outcomeOf } from "./recorded-runs.js";
import type {
  ConsumptionDatabase,
  ConsumptionTables,
  PublicationsTable,
  PublishedRow,
  PublishedRowsTable,
  PublishedTables,
} from "./schema.js";

const ROWS_PER_PAGE = 5_000;
/** SQLite accepts conditions up to a thousand levels deep. */
const ROWS_PER_REMOVAL = 250;
const DIFFERENCES_TOLD = 20;

/** The wanted rows of a table for an execution date. */
export interface TableContent {
  readonly table: PublishedTable;
  /** How many rows. */
  readonly rows: number;
  /** Reads the rows, from the first one on at every call. */
  readonly parts: () => RowParts;
}

/** The changes of a publish in a table. */
export interface TableChange {
  readonly table: string;
  readonly rows: number;
  readonly upserted: number;
  readonly removed: number;
}

export interface PublishResult {
  readonly tables: readonly TableChange[];
  /** Whether readers see something new: false if the same data was already published by the same SQL. */
  readonly isNew: boolean;
  /** The withdrawal of the same data, whose rows readers do not see; null if nobody withdrew it. */
  readonly withdrawn: WithdrawalReason | null;
  /** The execution date that readers see now; null if there is none. */
  readonly newest: string | null;
}

/**
 * Makes every table hold exactly the given rows for one execution date, and the publication visible, in one
 * transaction. It does not change any other execution date. Safe to repeat: it does not write rows again that are
 * already there. Withdrawn data stays withdrawn; other data ends the withdrawal.
 * @throws PipelineError LOCK_LOST if another run of the date has begun since.
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
      const records: PublishedRowsTable[] = [];
      for (const content of contents) {
        const { change, rowsHash } = await replaceRows(
          transaction,
          dialect,
          publication.executionDate.partitionKey,
          content,
        );
        tables.push(change);
        records.push(rowsRecord(publication, content.table.name, change.rows, rowsHash));
        failpoint(`publish: ${content.table.name} written`);
      }
      if (records.length > 0) await recordOfRows(transaction, dialect, records).execute();
      const shown = await showPublication(transaction, rowOf(publication));
      failpoint("publish: publication written");
      const newest = await newestIn(transaction);
      return { tables, ...shown, newest: newest === undefined ? null : isoOfKey(newest) };
    }),
  );
}

/** Writes only the differences. Both the wanted rows and the present rows can be larger than the memory. */
export async function replaceRows(
  transaction: ConsumptionDatabase,
  dialect: Dialect,
  executionDate: string,
  { table, rows, parts }: TableContent,
): Promise<{ change: TableChange; rowsHash: string }> {
  const published = publishedTables(transaction);
  const columnNames = table.columns.map(({ name }) => name);
  const hash = new RowsHash(columnNames);
  const present = () => readAhead(presentParts(published, table, executionDate));

  const upserts = new Batches(published, {
    size: dialect.rowsPerUpsert(table),
    of: (batch) => dialect.upsert(published, table, batch),
    columns: columnNames,
  });
  const removals = new Batches(published, {
    size: ROWS_PER_REMOVAL,
    of: (batch) => removal(published, table, batch),
    columns: table.key,
  });
  for await (const some of differencesOf(table, hash.through(readAhead(parts())), present())) {
    await upserts.add(some.map(({ wanted }) => wanted).filter((row) => row !== undefined));
    const gone = some.filter(({ wanted }) => wanted === undefined);
    await removals.add(gone.map(({ present }) => present).filter((row) => row !== undefined));
  }
  await upserts.end();
  failpoint(`publish: ${table.name} upserted`);
  await removals.end();
  const rowsHash = hash.digest();
  if (upserts.count + removals.count > 0 && (await hashOf(table, present())) !== rowsHash)
    throw await givenBackFault(table, differencesOf(table, parts(), present()));
  const change = { table: table.name, rows, upserted: upserts.count, removed: removals.count };
  return { change, rowsHash };
}

const NO_RECORD: PublishedRowsTable = {
  execution_date: "",
  table_name: "",
  data_hash: "",
  row_count: 0,
  rows_hash: "",
};

function rowsRecord(
  { executionDate, dataHash }: Publication,
  table: string,
  rows: number,
  rowsHash: string,
): PublishedRowsTable {
  return {
    execution_date: executionDate.partitionKey,
    table_name: table,
    data_hash: dataHash,
    row_count: rows,
    rows_hash: rowsHash,
  };
}

/** The fault of a database that returns other rows than were published. */
async function givenBackFault(
  { name, columns }: PublishedTable,
  differences: AsyncIterable<readonly Difference[]>,
): Promise<PipelineError> {
  const told: string[] = [];
  let count = 0;
  for await (const some of differences) {
    count += some.length;
    for (const { wanted, present } of some.slice(0, DIFFERENCES_TOLD - told.length)) {
      told.push(`${textOf(present)} for ${textOf(wanted)}`);
    }
  }
  return new PipelineError(
    "AUDIT_FAILED",
    `the table ${name} returns ${count.toString()} rows that differ from the published rows; ` +
      `as ${columns.map((column) => column.name).join(", ")}: ${told.join("; ")}`,
  );

  function textOf(row: PublishedRow | undefined): string {
    return row === undefined ? "none" : JSON.stringify(columns.map((column) => row[column.name]));
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

/** @returns false if the table already holds the same data from the same SQL. */
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

/** A statement of a publish, with a `?` instead of each value. */
export interface PublishStatement {
  readonly sql: string;
  /** The condition under which it runs; null for always. */
  readonly when: string | null;
}

/** The statements of a publish, in their order. */
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
      said(presentRows(published, table, "", undefined)),
      said(presentRows(published, table, "", rowOf(table)), "for each further page"),
      said(dialect.upsert(published, table, [rowOf(table)]), "for new or changed rows"),
      said(removal(published, table, [rowOf(table)]), "for removed rows"),
      said(presentRows(published, table, "", undefined), "if a row was written or removed, to compare"),
      said(presentRows(published, table, "", rowOf(table)), "for each further page"),
    ]),
    ...(tables.length === 0
      ? []
      : [said(recordOfRows(db, dialect, [NO_RECORD]), "with a row for each table")]),
    said(withdrawalOf(db, "")),
    said(
      withdrawalEnd(
        db,
        { execution_date: "", withdrawn_at: "" },
        { outcome: "replaced", ended_at: "", ended_by: "" },
      ),
      "if other data was withdrawn",
    ),
    said(shownPublication(db, "")),
    said(newPublication(db, publication), "if the date was not published"),
    said(changedPublication(db, publication), "if other data or SQL was published"),
    said(newestOf(db)),
    { sql: "COMMIT", when: null },
  ];
}

function publishedTables(db: ConsumptionDatabase): Kysely<PublishedTables> {
  return db.withTables<PublishedTables>();
}

/** The rows of an execution date, in the order of the key. */
async function* presentParts(
  db: Kysely<PublishedTables>,
  table: PublishedTable,
  executionDate: string,
): AsyncGenerator<readonly PublishedRow[]> {
  let last: PublishedRow | undefined;
  do {
    const rows = await presentRows(db, table, executionDate, last).execute();
    yield rows;
    last = rows.length === ROWS_PER_PAGE ? rows.at(-1) : undefined;
  } while (last !== undefined);
}

/** @param after the row before them; undefined for the first ones. */
function presentRows(
  db: Kysely<PublishedTables>,
  { name, key }: PublishedTable,
  executionDate: string,
  after: PublishedRow | undefined,
) {
  const ownKey = withinDate(key);
  let query = db.selectFrom(name).selectAll().where("execution_date", "=", executionDate);
  if (after !== undefined) query = query.where(follows(ownKey, keyOf(after, ownKey)));
  for (const column of ownKey) query = query.orderBy(column);
  return query.limit(ROWS_PER_PAGE);
}

function removal(db: Kysely<PublishedTables>, { name, key }: PublishedTable, rows: readonly PublishedRow[]) {
  return db
    .deleteFrom(name)
    .where((where) =>
      where.or(rows.map((row) => where.and(key.map((column) => where.eb(column, "=", row[column] ?? null))))),
    );
}

/** The query for the publication of an execution date, and its SQL. */
export function shownPublication(
  db: ConsumptionDatabase,
  executionDate: string,
): SelectQueryBuilder<ConsumptionTables, "publications", Pick<PublicationsTable, "data_hash" | "sql_hash">> {
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
