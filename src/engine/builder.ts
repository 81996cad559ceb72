/** A value of a row as JSON has it. Whole numbers beyond JavaScript's reach, and moments, are texts. */
export type RowValue = string | number | boolean | null | RowValue[] | { [key: string]: RowValue };
export type Row = Record<string, RowValue>;

/** The value of a column that is known to hold text. */
export function textOf(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw new TypeError(`the column ${column} is not a text`);
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

/** A SELECT of a model or an audit, in the words of who runs it, and the models that it reads. */
export interface Query {
  readonly sql: string;
  readonly references: readonly string[];
  readonly dialect: "duckdb" | "spark";
}

/** The functions that the models share, in the words of who has them. */
export type Functions = Pick<Query, "sql" | "dialect">;

/** Where a model is written. */
interface Place {
  /** The one file that it is, or would be. */
  readonly file: string;
  /** Whether it may be larger than one machine can write: it may then be many files, in the folder of that one. */
  readonly isLarge: boolean;
  /** The columns that its header declares, in their order. */
  readonly columns: readonly ColumnType[];
}

/** What writing a model tells of it. */
interface WrittenFiles extends WrittenFile {
  readonly uris: readonly string[];
}

/**
 * Builds models: runs their SELECTs where their rows are, and keeps what they give under their names. DuckDB is one, a cluster
 * beside DuckDB another. Calls may be made side by side, and reject as those of an engine.
 */
export interface Builder {
  /** The name and version of whoever computes. */
  readonly version: string;
  /** Makes the functions that models share; refuses a text that does more. */
  makeFunctions(functions: Functions): Promise<void>;
  /** Refuses a text that is more than one SELECT, or calls what does more than compute, before anything of it has run. */
  assertSelects(query: Query): Promise<void>;
  /**
   * Keeps a model that may be larger than memory for the length of the run.
   * @param queries give its rows together.
   * @param bytes how large the files are that they read.
   */
  keepLarge(name: string, queries: readonly Query[], bytes: number): Promise<void>;
  /** Keeps a small model for the length of the run. */
  keep(name: string, query: Query): Promise<void>;
  /** Writes a model, its rows in their order where it is one file. */
  write(name: string, query: Query, place: Place): Promise<WrittenFiles>;
  /** Makes written Parquet files readable under the name of their model. */
  attach(name: string, uris: readonly string[]): Promise<void>;
  /** The columns of a model that can be read, with DuckDB's names of their types. */
  columnsOf(name: string): Promise<ColumnType[]>;
  /** The rows of a query, all of them. */
  rows(query: Query): Promise<Row[]>;
}

/** A SELECT for DuckDB that the runner itself says, of one model. */
export function ofModel(name: string, sql: string): Query {
  return { sql, references: [name], dialect: "duckdb" };
}

/** An error that an engine gave of a statement. Who knows what was asked turns it into a fault of a file or of a model. */
export abstract class EngineError extends Error {
  /** Whether the engine has found a fault of its own, and refuses every further statement. */
  abstract readonly isFatal: boolean;

  get onOneLine(): string {
    return this.message.replace(/\s*\n\s*/g, " ");
  }
}
