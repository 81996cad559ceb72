import os from "node:os";
import process from "node:process";
import type { ColumnDataType, Compilable, Kysely, RawBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import type { ConsumptionDatabase, PublishedRow, PublishedTables, PipelineRunsTable } from "./schema.js";

/** The type of a published column, as the models' headers say it. */
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

/** A statement that can be run, or shown. */
export interface Query extends Compilable {
  execute(): Promise<unknown>;
}

/** What databases do each in its own way. */
export interface Dialect {
  columnType(column: PublishedColumn): ColumnType;
  /** The type of a text of any length. */
  readonly longText: ColumnType;
  /** What stands at the end of the statement that makes a table, so that its texts compare in full: case, accents and blanks. */
  readonly tableOptions: RawBuilder<unknown>;
  /** The columns of a table's primary key, in their order; none if it has no key. */
  primaryKey(db: ConsumptionDatabase, table: string): Promise<string[]>;
  /** How tables that are there differ from what `tableOptions` would have made of them: another engine, another collation. */
  tableFaults(db: ConsumptionDatabase, tables: readonly string[]): Promise<TableFault[]>;
  /** What is broken inside of the database, by a look at every page of the tables; none if the server sees to that itself. */
  integrityFaults(db: ConsumptionDatabase): Promise<string[]>;
  /** How many rows of a table a statement inserts at the most. */
  rowsPerUpsert(table: PublishedTable): number;
  /** The query that inserts rows, and replaces those whose key is there. */
  upsert(
    db: Kysely<PublishedTables>,
    table: Pick<PublishedTable, "name" | "key">,
    rows: readonly PublishedRow[],
  ): Query;
  /** The statement that begins a transaction beside which no other one writes. */
  readonly begin: string;
  /** The server, or undefined if the database is a file. */
  server(db: ConsumptionDatabase): Promise<DatabaseServer | undefined>;
  /**
   * Sees whether a publish may make tables and write rows, and changes nothing.
   * @throws an error of the database if it may not.
   */
  tryToWrite(db: ConsumptionDatabase): Promise<void>;
  /**
   * Does some work, and again where it has failed for a reason that passes by itself, as a connection that was lost. The
   * work must be safe to repeat.
   */
  repeating<Result>(work: () => Promise<Result>): Promise<Result>;
  /** A fault of the database in the words of the person who runs the pipeline; anything else comes back as it is. */
  translateError(error: unknown): unknown;
}

/** What is wrong with a table. */
export interface TableFault {
  readonly table: string;
  /** As `engine MyISAM instead of InnoDB`. */
  readonly what: string;
}

/** What a server says of itself. */
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
   * Does something while no other process can do anything under the same lock name. The lock dies with its holder.
   * Resolves to undefined, at once, where another holds it.
   */
  tryLocked<Result>(
    lockName: string,
    use: (lock: Lock) => Promise<Result>,
  ): Promise<{ result: Result } | undefined>;
  /** Whether anyone holds a lock. It is asked without taking it. */
  isLocked(lockName: string): Promise<boolean>;
  /** Whether this is still the database that its address names: a file can be replaced under an open connection. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * A value that runs have written as JSON.
 * @param what it is, for the message.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if it is not JSON any more.
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

/** Reads tables; undefined if one of them is not there yet: a run makes them no earlier than it writes them. */
export function unlessMissing<Result>(
  { db, dialect }: Pick<Consumption, "db" | "dialect">,
  tables: readonly string[],
  read: () => Promise<Result>,
): Promise<Result | undefined> {
  return translatingErrors(dialect, async () => {
    try {
      return await read();
    } catch (error) {
      // Whoever is out of reach cannot be asked for them.
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
 * The fault of a writer that has waited in vain for another one.
 * @param database how messages name it.
 * @param runs those in progress, as `RUNS_IN_PROGRESS` reads them; that of this process is none of the others.
 * @param transaction who has the oldest transaction, where the database tells; undefined otherwise.
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
