import { listLiteral, literal, pathPattern } from "../../sql-text/literal.js";
import type { ColumnType } from "../builder.js";
import { ARROW_SCHEMA_KEY, arrowSchema } from "./arrow-schema.js";

/*
 * What the runner puts around the SELECT of a model. The SELECT begins on the first line, so that the line of an error is the
 * line of the model's file.
 */

/** Makes the result of a query available under a name, computed again at each use. */
export function viewStatement(name: string, select: string): string {
  return `CREATE OR REPLACE VIEW ${name} AS (${select}\n)`;
}

/** Keeps the result of a query under a name, for the length of the session. */
export function tableStatement(name: string, select: string): string {
  return `CREATE OR REPLACE TABLE ${name} AS (${select}\n)`;
}

/**
 * Writes the rows of a query to a Parquet file that is read a few times and thrown away: it has to be quick to write more than small,
 * nobody looks single rows up in it, and who reads it sorts its rows. To keep them in their order costs a quarter where there are
 * thousands of small files.
 */
export function temporaryStatement(select: string, file: string): string {
  return `COPY (${select}\n) TO ${literal(file)} (FORMAT parquet, COMPRESSION lz4_raw, DICTIONARY_SIZE_LIMIT 5000, WRITE_BLOOM_FILTER false, PRESERVE_ORDER false)`;
}

/** The place of a named query result, below the folder of the session. */
export function temporaryFile(folder: string, name: string): string {
  return `${folder}/${name}.parquet`;
}

/** Makes written Parquet files available under a name. */
export function attachStatement(name: string, uris: readonly string[]): string {
  return `CREATE OR REPLACE VIEW ${name} AS ${filesStatement(uris)}`;
}

/** The rows of written Parquet files, in the order of the files. */
export function filesStatement(uris: readonly string[]): string {
  return `SELECT * FROM read_parquet(${listLiteral(uris.map(pathPattern))}, hive_partitioning = false)`;
}

/**
 * Writes the rows of a query, in their order, to one new Parquet file. The options are written out, so that a new default of
 * DuckDB changes no byte of a file.
 * @param columns those of the query, if the file is a partition: readers of the Arrow family want to be told of them.
 */
export function copyStatement(select: string, uri: string, columns: readonly ColumnType[] = []): string {
  const schema = arrowSchema(columns);
  const told = schema === undefined ? "" : `, KV_METADATA {${literal(ARROW_SCHEMA_KEY)}: ${literal(schema)}}`;
  return `COPY (${select}\n) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, RETURN_STATS${told})`;
}

/** Stands before a text while it goes from the engine to this process. */
const GUARD = "=";

/**
 * The SQL of a text that must come whole: the engine's client takes a byte order mark at the beginning of a text for no
 * part of it, and two texts would become one. What comes is for `wholeText`.
 * @param expression of a text in SQL.
 */
export function guarded(expression: string): string {
  return `'${GUARD}' || ${expression}`;
}

/** The text that was guarded on its way. */
export function wholeText(guardedText: string): string {
  return guardedText.slice(GUARD.length);
}
