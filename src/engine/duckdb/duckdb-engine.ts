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
 * Runs SQL for one run, with no state of its own that outlives it. Calls may be made side by side. Every call rejects with a PipelineError of code
 * CANCELLED once the run's signal has been aborted.
 */
export interface Engine {
  /** The engine's name, its version, and how files are written: the same rows give the same bytes only by the same engine. */
  readonly version: string;
  /** A folder of this machine that it can reach, and that goes when it is closed; undefined if it leaves no trace. */
  readonly folder: string | undefined;
  /**
   * Refuses the text of a file that is more than one SELECT, or calls what does more than compute.
   * @throws DuckDbError before anything of it has run.
   */
  assertSelects(sql: string): Promise<void>;
  /** Makes the functions of a text; refuses one that does more, in the same way. */
  makeFunctions(sql: string): Promise<void>;
  /** Runs statements that return nothing that matters. */
  run(sql: string): Promise<void>;
  /** The rows of a query, all of them. */
  rows(sql: string): Promise<Row[]>;
  /** The rows of a query, in its order, some thousands at a time: for each of its columns the values. */
  parts(sql: string): AsyncIterable<RowValue[][]>;
  /** Makes the result of a query available under a name as `raw.vouchers`, computed again at each use. */
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
  /**
   * Writes the rows of a query, in their order, to one new Parquet file.
   * @param columns those of the query, if the file is a partition.
   */
  writeParquet(select: string, uri: string, columns?: readonly ColumnType[]): Promise<WrittenFile>;
  /** Writes the rows of a query, in their order, to one new CSV file with a header line. */
  writeCsv(select: string, uri: string): Promise<void>;
  /** Lends a connection, with its variables and transactions, for statements that a person writes. */
  adHoc<Result>(use: (run: AdHocRun) => Promise<Result>): Promise<Result>;
  /** How far the slowest of the running statements is, from 0 to 100, or undefined if nothing is known. */
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

/** Who says statements to DuckDB, or only takes them down. */
export type Speaker = Pick<Engine, "run" | "rows">;

/** What an engine does by statements of its own: each call says what the runner puts around a SELECT. */
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
 * What comes of raw files up to this size, some two million rows, is kept in memory, which goes to disk if it is short. To write a file
 * and to read it takes a third longer then; from ten million rows on the file is faster, and takes half of the memory.
 */
const MEMORY_BYTES = 64 * 1024 ** 2;

/** Builds models by DuckDB alone. */
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
