import os from "node:os";
import process from "node:process";
import type { ColumnDataType, Compilable, Kysely, RawBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import type { ConsumptionDatabase, PublishedRow, PublishedTables, PipelineRunsTable } from "./schema.js";

/** The type of a published column, from the header of its model. */
export interface PublishedColumn {
  readonly name: string;
  readonly type: "VARCHAR" | "INTEGER" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "DATE" | "TIMESTAMP";
  /** The longest text, in code points. */
  readonly maxLength: number;
}

/** A table that a model publishes. */
export interface PublishedTable {
  readonly name: string;
  readonly columns: readonly PublishedColumn[];
  /** The execution date and the key of the model. */
  readonly key: readonly string[];
}

/** A type as Kysely knows it, or as only one database does. */
export type ColumnType = ColumnDataType | RawBuilder<unknown>;

/** A query that can run, or be shown. */
export interface Query extends Compilable {
  execute(): Promise<unknown>;
}

/** The differences between databases. */
export interface Dialect {
  columnType(column: PublishedColumn): ColumnType;
  /** The type of a text of any length. */
  readonly longText: ColumnType;
  /** The end of every CREATE TABLE. It makes texts compare in full: case, accents and blanks. */
  readonly tableOptions: RawBuilder<unknown>;
  /** The type of a column as `columnTypes` writes it. */
  typeName(column: PublishedColumn): string;
  /** The columns of a table with the names of their types, in their order; none if the table does not exist. */
  columnTypes(db: ConsumptionDatabase, table: string): Promise<ReadonlyMap<string, string>>;
  /** The columns of a table's primary key, in their order; none if it has no key. */
  primaryKey(db: ConsumptionDatabase, table: string): Promise<string[]>;
  /** How existing tables differ from those that `tableOptions` would have made: another engine, another collation. */
  tableFaults(db: ConsumptionDatabase, tables: readonly string[]): Promise<TableFault[]>;
  /** The faults inside the database, from a read of every page of the tables; none if the server checks them itself. */
  integrityFaults(db: ConsumptionDatabase): Promise<string[]>;
  /** The maximum number of rows of one INSERT into a table. */
  rowsPerUpsert(table: PublishedTable): number;
  /** Renames tables at one moment for readers. The caller's transaction keeps others from publishing. */
  renameTables(
    connections: { readonly db: ConsumptionDatabase; readonly transaction: ConsumptionDatabase },
    names: readonly (readonly [from: string, to: string])[],
  ): Promise<void>;
  /** The query that inserts rows, and replaces rows with the same key. */
  upsert(
    db: Kysely<PublishedTables>,
    table: Pick<PublishedTable, "name" | "key">,
    rows: readonly PublishedRow[],
  ): Query;
  /** The statement that begins a transaction with the only write access. */
  readonly begin: string;
  /** The server, or undefined if the database is a file. */
  server(db: ConsumptionDatabase): Promise<DatabaseServer | undefined>;
  /**
   * Tests whether a publish may make tables and write rows, and changes nothing.
   * @throws an error of the database if it may not.
   */
  tryToWrite(db: ConsumptionDatabase): Promise<void>;
  /**
   * Does some work. It repeats the work if it failed for a reason that passes, such as a lost connection. The work
   * must be safe to repeat.
   */
  repeating<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Translates an error of the database for the person who runs the pipeline; any other error stays the same. */
  translateError(error: unknown): unknown;
}

/** A fault of a table. */
export interface TableFault {
  readonly table: string;
  /** For example `engine MyISAM instead of InnoDB`. */
  readonly what: string;
}

/** The server's own data. */
export interface DatabaseServer {
  readonly product: "MySQL" | "MariaDB";
  readonly version: string;
  /** The oldest version that is supported. */
  readonly oldest: string;
  readonly now: Date;
}

/** A lock that is held. */
export interface Lock {
  /** @throws PipelineError LOCK_LOST if it was lost, and another holds it by now. */
  assertHeld(): Promise<void>;
}

/** The database that other services read. */
export interface Consumption {
  readonly db: ConsumptionDatabase;
  readonly dialect: Dialect;
  /** How messages name it, without secrets. */
  readonly name: string;
  /**
   * Runs some work while no other process can run any under the same lock name. The lock ends with its process.
   * Resolves to undefined, at once, if another process holds it.
   */
  tryLocked<Result>(
    lockName: string,
    use: (lock: Lock) => Promise<Result>,
  ): Promise<{ result: Result } | undefined>;
  /** Whether anyone holds a lock. This check does not take it. */
  isLocked(lockName: string): Promise<boolean>;
  /** Whether this is still the database at its address: a file can be replaced while a connection is open. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * A value that runs have written as JSON.
 * @param what the name of the value, for the message.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if it is no longer JSON.
 */
export function storedJson(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw damaged(`${what} that is not JSON`, error);
  }
}

/** The fault of a database that holds a value which no run has written. */
export function damaged(what: string, cause?: unknown): PipelineError {
  return new PipelineError(
    "CONSUMPTION_NOT_USABLE",
    `the consumption database is damaged: it holds ${what}; restore a copy, or publish its execution dates again`,
    { cause },
  );
}

/**
 * Does something with the database that is safe to repeat.
 * @throws PipelineError if the database is at fault, in the words of the person who runs the pipeline.
 */
export async function translatingErrors<Result>(
  dialect: Dialect,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await dialect.repeating(work);
  } catch (error) {
    throw dialect.translateError(error);
  }
}

/** Reads tables; undefined if one of them does not exist yet: a run creates them when it writes them. */
export function unlessMissing<Result>(
  { db, dialect }: Pick<Consumption, "db" | "dialect">,
  tables: readonly string[],
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  return translatingErrors(dialect, async () => {
    try {
      return await read();
    } catch (error) {
      // An unreachable database cannot list its tables.
      if (isUnreachable(dialect, error)) throw error;
      const present = new Set((await db.introspection.getTables()).map(({ name }) => name));
      if (tables.every((name) => present.has(name))) throw error;
      return undefined;
    }
  });
}

function isUnreachable(dialect: Dialect, error: unknown): boolean {
  const fault = dialect.translateError(error);
  return fault instanceof PipelineError && fault.code === "CONSUMPTION_UNAVAILABLE";
}

/** Reads the runs that are recorded as in progress, the oldest first. */
export const RUNS_IN_PROGRESS =
  "SELECT run_id, started_at, started_by FROM pipeline_runs WHERE outcome = 'running' ORDER BY started_at LIMIT 4";

export type RunInProgress = Pick<PipelineRunsTable, "run_id" | "started_at" | "started_by">;

/**
 * The fault of a writer that waited for another one without success.
 * @param database its name in messages.
 * @param runs those in progress, as `RUNS_IN_PROGRESS` reads them, without the run of this process.
 * @param transaction the owner of the oldest transaction, if the database shows it; undefined otherwise.
 */
export function waitedInVain(
  database: string,
  seconds: number,
  {
    runs,
    transaction,
  }: { readonly runs: readonly RunInProgress[]; readonly transaction?: string | undefined },
  cause: unknown,
): PipelineError {
  const own = `@${os.hostname()} process ${process.pid.toString()}`;
  const others = runs
    .filter(({ started_by }) => !started_by.endsWith(own))
    .map(({ run_id, started_at, started_by }) => `run ${run_id} by ${started_by} since ${started_at}`);
  const holders = [...others, ...(transaction === undefined ? [] : [transaction])];
  return new PipelineError(
    "CONSUMPTION_UNAVAILABLE",
    `the ${database} was busy with another writer for ${Math.round(seconds).toString()} s. ` +
      (holders.length > 0
        ? `In progress: ${holders.join("; ")}. If that process hangs, stop it and run again`
        : "No other run is in progress. Find the other program that writes to the database, then run again"),
    { cause },
  );
}
