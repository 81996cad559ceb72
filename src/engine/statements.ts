import { listLiteral, literal, pathPattern } from "../sql-literal.js";

/*
 * What the runner puts around the SELECT of a model. The SELECT begins on the first line, so that the line of an error is the
 * line of the model's file.
 */

/** Makes the result of a query available under a name, computed anew at each use. */
export function viewStatement(name: string, select: string): string {
  return `CREATE OR REPLACE VIEW ${name} AS (${select}\n)`;
}

/** Keeps the result of a query under a name, for the length of the session. */
export function tableStatement(name: string, select: string): string {
  return `CREATE OR REPLACE TABLE ${name} AS (${select}\n)`;
}

/** Makes written Parquet files available under a name. */
export function attachStatement(name: string, uris: readonly string[]): string {
  return `CREATE OR REPLACE VIEW ${name} AS SELECT * FROM read_parquet(${listLiteral(uris.map(pathPattern))}, hive_partitioning = false)`;
}

/**
 * Writes the rows of a query, in their order, to one new Parquet file. The options are written out, so that a new default of
 * DuckDB changes no byte of a file.
 */
export function copyStatement(select: string, uri: string): string {
  return `COPY (${select}\n) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, RETURN_STATS)`;
}
