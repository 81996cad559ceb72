import type { AdHocRun } from "./ad-hoc.js";

/** A value of a row as JSON has it. Whole numbers beyond JavaScript's reach, and moments, are texts. */
export type RowValue = string | number | boolean | null | RowValue[] | { [key: string]: RowValue };
export type Row = Record<string, RowValue>;

/** The value of a column that is known to hold text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`the column ${column} holds no text`);
  return value;
}

export interface ColumnType {
  readonly name: string;
  readonly type: string;
}

/** What writing a file tells of it. */
export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * Runs SQL for one run, with no state of its own that outlives it. Calls may be made side by side. Every call rejects with a PipelineError of code
 * CANCELLED once the run's signal has been aborted.
 */
export interface Engine {
  /** The engine's name and version, as `DuckDB v1.5.5`. */
  readonly version: string;
  /** A folder of this machine that it can reach, and that goes when it is closed; undefined where it leaves no trace. */
  readonly folder: string | undefined;
  /**
   * Refuses the text of a file that is more than one SELECT, or calls what does more than compute.
   * @throws DuckDbError before anything of it has run.
   */
  assertSelects(sql: string): Promise<void>;
  /** Refuses the text of a file that does more than make functions, in the same way. */
  assertMakesFunctions(sql: string): Promise<void>;
  /** Runs statements that return nothing that matters. */
  run(sql: string): Promise<void>;
  /** The rows of a query, all of them. */
  rows(sql: string): Promise<Row[]>;
  /** The rows of a query, in its order, some thousands at a time. */
  parts(sql: string): AsyncIterable<Row[]>;
  /** Makes the result of a query available under a name as `raw.vouchers`, computed anew at each use. */
  createView(name: string, select: string): Promise<void>;
  /** Keeps the result of a query under a name as `measures.row_accounting`, for the length of the run. */
  createTable(name: string, select: string): Promise<void>;
  /**
   * Keeps the result of a query under a name as `raw.vouchers`, for the length of the session, in a file of its temporary folder: for
   * what may be larger than memory.
   */
  createFile(name: string, select: string): Promise<void>;
  /** Writes the rows of a query to a Parquet file of this machine that is thrown away after it was read a few times. */
  writeTemporary(select: string, file: string): Promise<void>;
  /** Makes written Parquet files available under a name as `curated.vouchers`. */
  attachFiles(name: string, uris: readonly string[]): Promise<void>;
  /** The columns of a view or table. */
  columnsOf(name: string): Promise<ColumnType[]>;
  /** Writes the rows of a query, in their order, to one new Parquet file. */
  writeParquet(select: string, uri: string): Promise<WrittenFile>;
  /** Writes the rows of a query, in their order, to one new CSV file with a header line. */
  writeCsv(select: string, uri: string): Promise<void>;
  /** Lends a connection, with its variables and transactions, for statements that a person writes. */
  adHoc<Result>(use: (run: AdHocRun) => Promise<Result>): Promise<Result>;
  /** How far the slowest of the running statements is, from 0 to 100, or undefined where nothing is known. */
  progress(): number | undefined;
}
