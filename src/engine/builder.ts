import type { ColumnType, Engine, Row, WrittenFile } from "./engine.js";

/** A SELECT of a model or an audit, in the words of who runs it, and the models that it reads. */
export interface Query {
  readonly sql: string;
  readonly references: readonly string[];
  readonly dialect: "duckdb" | "spark";
}

/** The functions that the models share, in the words of who has them. */
export type Functions = Pick<Query, "sql" | "dialect">;

/** Where a model is written. */
export interface Place {
  /** The one file that it is, or would be. */
  readonly file: string;
  /** Whether it may be larger than one machine can write: it may then be many files, in the folder of that one. */
  readonly isLarge: boolean;
}

/** What writing a model tells of it. */
export interface WrittenFiles extends WrittenFile {
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
  /** Keeps a model that may be larger than memory for the length of the run. @param queries give its rows together. */
  keepLarge(name: string, queries: readonly Query[]): Promise<void>;
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
