/** A value of a row in JSON. Moments, and whole numbers beyond JavaScript's range, are texts. */
export type RowValue = string | number | boolean | null | RowValue[] | { [key: string]: RowValue };
export type Row = Record<string, RowValue>;

/** The value of a text column. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`the column ${column} is not a text`);
  return value;
}

export interface ColumnType {
  readonly name: string;
  readonly type: string;
}

/** The result of writing a file. */
export interface WrittenFile {
  readonly rows: number;
  readonly bytes: number;
}

/** A SELECT of a model or an audit, in the dialect of its engine, and the models that it reads. */
export interface Query {
  readonly sql: string;
  readonly references: readonly string[];
  readonly dialect: "duckdb" | "spark";
}

/** The functions that the models share, in the dialect of one engine. */
export type Functions = Pick<Query, "sql" | "dialect">;

/** The destination of a model. */
interface Place {
  /** Its file, if it is one file. */
  readonly file: string;
  /** Whether it may be too large for one machine to write. Then it may be many files, in the folder of that file. */
  readonly isLarge: boolean;
  /** The columns of its header, in their order. */
  readonly columns: readonly ColumnType[];
}

/** The result of writing a model. */
interface WrittenFiles extends WrittenFile {
  readonly uris: readonly string[];
}

/**
 * Builds models: it runs their SELECTs where their rows are, and keeps the results under their names. There are two:
 * DuckDB alone, and a cluster together with DuckDB. Calls may run in parallel, and reject like those of an engine.
 */
export interface Builder {
  /** The name and version of the engine. */
  readonly version: string;
  /** Creates the functions that models share; refuses a text that does anything else. */
  makeFunctions(functions: Functions): Promise<void>;
  /** Refuses a text that is not exactly one SELECT, or that calls a function with side effects, before any of it runs. */
  assertSelects(query: Query): Promise<void>;
  /**
   * Keeps a model that may be larger than memory until the end of the run.
   * @param queries give its rows together.
   * @param bytes the size of the files that they read.
   */
  keepLarge(name: string, queries: readonly Query[], bytes: number): Promise<void>;
  /** Keeps a small model until the end of the run. */
  keep(name: string, query: Query): Promise<void>;
  /** Writes a model. If it is one file, its rows are in their order. */
  write(name: string, query: Query, place: Place): Promise<WrittenFiles>;
  /** Makes written Parquet files readable under the name of their model. */
  attach(name: string, uris: readonly string[]): Promise<void>;
  /** The columns of a readable model, with DuckDB's names of their types. */
  columnsOf(name: string): Promise<ColumnType[]>;
  /** All rows of a query. */
  rows(query: Query): Promise<Row[]>;
}

/** The runner's own SELECT for DuckDB, over one model. */
export function ofModel(name: string, sql: string): Query {
  return { sql, references: [name], dialect: "duckdb" };
}

/**
 * An error of an engine about a statement. The caller knows the statement's purpose, and turns it into a fault of a
 * file or of a model.
 */
export abstract class EngineError extends Error {
  /** Whether the engine itself is faulty, and refuses all further statements. */
  abstract readonly isFatal: boolean;

  get onOneLine(): string {
    return this.message.replace(/\s*\n\s*/g, " ");
  }
}
