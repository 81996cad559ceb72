import type { Builder, ColumnType, Row, RowValue, WrittenFile } from "../builder.js";

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

/** What a statement gives that gives rows. */
export interface StatementResult {
  /** The names of the columns; where several have one name, the later ones are numbered. */
  readonly columns: readonly string[];
  /** The rows, some at a time, each in the order of the columns. They can be read once, until the next statement runs. */
  readonly batches: () => AsyncGenerator<readonly (readonly RowValue[])[]>;
}

/** Runs statements that a person has written, one after the other, and gives the results of those that give rows. */
export type AdHocRun = (sql: string, signal: AbortSignal) => AsyncGenerator<StatementResult>;

/** Builds models by DuckDB alone. */
export function duckDbBuilder(engine: Engine): Builder {
  return {
    version: engine.version,
    makeFunctions: async ({ sql }) => {
      await engine.assertMakesFunctions(sql);
      await engine.run(sql);
    },
    assertSelects: ({ sql }) => engine.assertSelects(sql),
    keepLarge: (name, queries) =>
      engine.createFile(name, queries.map(({ sql }) => sql).join("\nUNION ALL\n")),
    keep: (name, { sql }) => engine.createTable(name, sql),
    write: async (_name, { sql }, { file }) => ({ ...(await engine.writeParquet(sql, file)), uris: [file] }),
    attach: (name, uris) => engine.attachFiles(name, uris),
    columnsOf: (name) => engine.columnsOf(name),
    rows: ({ sql }) => engine.rows(sql),
  };
}
