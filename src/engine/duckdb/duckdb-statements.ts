import { listLiteral, literal, pathPattern } from "../../sql-text/literal.js";
import type { ColumnType } from "../builder.js";
import { ARROW_SCHEMA_KEY, arrowSchema } from "./arrow-schema.js";

/*
 * The runner's own text around the SELECT of a model. The SELECT begins on the first line, so that the line number of
 * an error is that of the model's file.
 */

/** Makes the result of a query available under a name. Each use computes it again. */
export function viewStatement(name: string, select: string): string {
  return `CREATE OR REPLACE VIEW ${name} AS (${select}\n)`;
}

/** Keeps the result of a query under a name, until the end of the session. */
export function tableStatement(name: string, select: string): string {
  return `CREATE OR REPLACE TABLE ${name} AS (${select}\n)`;
}

/**
 * Writes the rows of a query to a Parquet file that is read a few times and then removed. Speed matters more than
 * size. Nobody looks up single rows in it, and its readers sort the rows. To keep the order costs a quarter more time
 * if there are thousands of small files.
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
 * Writes the rows of a query, in their order, to one new Parquet file. It names all options, so that a new default of
 * DuckDB changes no byte of a file.
 * @param columns the columns of the query, if the file is a partition: readers of the Arrow family need them.
 */
export function copyStatement(select: string, uri: string, columns: readonly ColumnType[] = []): string {
  const schema = arrowSchema(columns);
  const told = schema === undefined ? "" : `, KV_METADATA {${literal(ARROW_SCHEMA_KEY)}: ${literal(schema)}}`;
  return `COPY (${select}\n) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, RETURN_STATS${told})`;
}

/** The prefix of a text on its way from the engine to this process. */
const GUARD = "=";

/**
 * The SQL of a text that must arrive complete. The engine's client removes a byte order mark at the start of a text,
 * so two texts could become one. `wholeText` reads the result.
 * @param expression of a text in SQL.
 */
export function guarded(expression: string): string {
  return `'${GUARD}' || ${expression}`;
}

/** The original of a guarded text. */
export function wholeText(guardedText: string): string {
  return guardedText.slice(GUARD.length);
}
