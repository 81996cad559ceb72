import { literal } from "../../sql-text/literal.js";
import {
  textOf,
  type Builder,
  type ColumnType,
  type Row,
  type RowValue,
  type WrittenFile,
} from "../builder.js";
import {
  attachStatement,
  copyStatement,
  tableStatement,
  temporaryFile,
  temporaryStatement,
  viewStatement,
} from "./duckdb-statements.js";

/**
 * Runs SQL for one run, and has no state that outlives it. Calls may run in parallel. After the run's signal has
 * aborted, every call rejects with a PipelineError of code CANCELLED.
 */
export interface Engine {
  /** The engine's name, its version, and its file format: the same rows give the same bytes only with the same engine. */
  readonly version: string;
  /** The engine's folder on this machine, which is removed when it closes; undefined if it leaves no trace. */
  readonly folder: string | undefined;
  /**
   * Refuses the text of a file that is not exactly one SELECT, or that calls a function with side effects.
   * @throws DuckDbError before any of it has run.
   */
  assertSelects(sql: string): Promise<void>;
  /** Creates the functions of a text; refuses any other statement in the same way. */
  makeFunctions(sql: string): Promise<void>;
  /** Runs statements without a result. */
  run(sql: string): Promise<void>;
  /** All rows of a query. */
  rows(sql: string): Promise<Row[]>;
  /** The rows of a query, in its order, in parts of some thousands: the values of each column. */
  parts(sql: string): AsyncIterable<RowValue[][]>;
  /** Makes the result of a query available under a name such as `raw.vouchers`. Each use computes it again. */
  createView(name: string, select: string): Promise<void>;
  /** Keeps the result of a query under a name such as `measures.row_accounting`, until the end of the run. */
  createTable(name: string, select: string): Promise<void>;
  /**
   * Keeps the result of a query under a name such as `raw.vouchers`, until the end of the session. It is a file in
   * the session's temporary folder, because the result may be larger than memory.
   */
  createFile(name: string, select: string): Promise<void>;
  /** Writes the rows of a query to a Parquet file of this machine, which is read a few times and then removed. */
  writeTemporary(select: string, file: string): Promise<void>;
  /** Makes written Parquet files available under a name such as `curated.vouchers`. */
  attachFiles(name: string, uris: readonly string[]): Promise<void>;
  /** The columns of a view or table. */
  columnsOf(name: string): Promise<ColumnType[]>;
  /**
   * Writes the rows of a query, in their order, to one new Parquet file.
   * @param columns those of the query, if the file is a partition.
   */
  writeParquet(select: string, uri: string, columns?: readonly ColumnType[]): Promise<WrittenFile>;
  /** Writes the rows of a query, in their order, to one new CSV file with a header line. */
  writeCsv(select: string, uri: string): Promise<void>;
  /** Lends a connection, with its variables and transactions, for statements from a person. */
  adHoc<Result>(use: (run: AdHocRun) => Promise<Result>): Promise<Result>;
  /** The progress of the slowest running statement, from 0 to 100; undefined if it is unknown. */
  progress(): number | undefined;
}

/** The result of a statement that returns rows. */
export interface StatementResult {
  /** The names of the columns. If several have the same name, the later ones are numbered. */
  readonly columns: readonly string[];
  /** The rows in batches, with values in the order of the columns. They can be read once, until the next statement runs. */
  readonly batches: () => AsyncGenerator<readonly (readonly RowValue[])[]>;
}

/** Runs statements from a person, one after the other, and gives the results of those that return rows. */
export type AdHocRun = (sql: string, signal: AbortSignal) => AsyncGenerator<StatementResult>;

/** An object that sends statements to DuckDB, or only records them. */
export type Speaker = Pick<Engine, "run" | "rows">;

/** The calls of an engine that are one statement each: the runner's own text around a SELECT. */
export function bySpeaking(
  { run, rows }: Speaker,
  folder: string | undefined,
): Pick<
  Engine,
  | "createView"
  | "createTable"
  | "createFile"
  | "writeTemporary"
  | "attachFiles"
  | "columnsOf"
  | "writeParquet"
  | "writeCsv"
> {
  const attachFiles = (name: string, uris: readonly string[]) => run(attachStatement(name, uris));
  const writeTemporary = (select: string, file: string) => run(temporaryStatement(select, file));
  return {
    createView: (name, select) => run(viewStatement(name, select)),
    createTable: (name, select) => run(tableStatement(name, select)),
    createFile: async (name, select) => {
      if (folder === undefined) throw new RangeError("the session has no folder to keep a file in");
      const file = temporaryFile(folder, name);
      await writeTemporary(select, file);
      await attachFiles(name, [file]);
    },
    writeTemporary,
    attachFiles,
    columnsOf: async (name) =>
      (await rows(`DESCRIBE ${name}`)).map((row) => ({
        name: textOf(row, "column_name"),
        type: textOf(row, "column_type"),
      })),
    writeParquet: async (select, uri, columns) => {
      const [written] = await rows(copyStatement(select, uri, columns));
      return { rows: Number(written?.["count"]), bytes: Number(written?.["file_size_bytes"]) };
    },
    writeCsv: (select, uri) => run(`COPY (${select}\n) TO ${literal(uri)} (FORMAT csv, HEADER)`),
  };
}

/**
 * The result of raw files up to this size, some two million rows, stays in memory, and DuckDB moves it to disk if
 * memory is short. A file would take a third longer to write and read. From ten million rows on the file is faster,
 * and takes half of the memory.
 */
const MEMORY_BYTES = 64 * 1024 ** 2;

/** Builds models with DuckDB alone. */
export function duckDbBuilder(engine: Engine): Builder {
  return {
    version: engine.version,
    makeFunctions: ({ sql }) => engine.makeFunctions(sql),
    assertSelects: ({ sql }) => engine.assertSelects(sql),
    keepLarge: (name, queries, bytes) => {
      const select = queries.map(({ sql }) => sql).join("\nUNION ALL\n");
      return bytes <= MEMORY_BYTES ? engine.createTable(name, select) : engine.createFile(name, select);
    },
    keep: (name, { sql }) => engine.createTable(name, sql),
    write: async (_name, { sql }, { file, columns }) => ({
      ...(await engine.writeParquet(sql, file, columns)),
      uris: [file],
    }),
    attach: (name, uris) => engine.attachFiles(name, uris),
    columnsOf: (name) => engine.columnsOf(name),
    rows: ({ sql }) => engine.rows(sql),
  };
}
