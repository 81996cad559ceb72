import type { ColumnDataType, Kysely } from "kysely";
import type { ConsumptionDatabase, PublishedRow, PublishedTables } from "./tables.js";

/** The type of a published column, as the models' headers say it. */
export interface PublishedColumn {
  readonly name: string;
  readonly type: "VARCHAR" | "INTEGER" | "BIGINT" | "DOUBLE" | "BOOLEAN" | "DATE" | "TIMESTAMP";
  /** The longest text, in code points. */
  readonly maxLength: number;
}

/** What databases do each in its own way. */
export interface Dialect {
  columnType(column: PublishedColumn): ColumnDataType;
  /** Inserts rows, and replaces those whose key is there. */
  upsert(
    db: Kysely<PublishedTables>,
    table: string,
    key: readonly string[],
    rows: readonly PublishedRow[],
  ): Promise<void>;
  /** Does all of some work or nothing of it, while no other transaction writes. */
  transaction<Result>(
    db: ConsumptionDatabase,
    work: (db: ConsumptionDatabase) => Promise<Result>,
  ): Promise<Result>;
  /** A fault of the database in the words of the person who runs the pipeline; anything else comes back as it is. */
  translateError(error: unknown): unknown;
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
  tryLocked<Result>(lockName: string, use: () => Promise<Result>): Promise<{ result: Result } | undefined>;
  /** Whether this is still the database that its address names: a file can be replaced under an open connection. */
  isCurrent(): Promise<boolean>;
  close(): Promise<void>;
}

/**
 * Does something with the database.
 * @throws PipelineError where the database is at fault, in the words of the person who runs the pipeline.
 */
export async function translatingErrors<Result>(
  dialect: Dialect,
  work: () => Promise<Result>,
): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw dialect.translateError(error);
  }
}
