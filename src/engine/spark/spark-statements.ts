import { sparkFiles, sparkLiteral, sparkName, sparkPath } from "../../sql-text/spark-literal.js";

/*
 * What the runner puts around the SELECT of a model for Spark. The SELECT begins on the first line, so that the line of an error is
 * the line of the model's file.
 */

/** Writes the rows of a query, in no order, to as many Parquet files of a folder as there are parts of the work. */
export function spreadStatement(select: string, folder: string): string {
  return insertStatement(`SELECT rows.* FROM (${select}\n) AS rows CROSS JOIN (SELECT 1)`, folder);
}

/** Writes the rows of a query to Parquet files of a folder: read in the order of their names they are in the order of the query. */
export function orderedStatement(select: string, folder: string): string {
  return insertStatement(`SELECT * FROM (${select}\n)`, folder);
}

/** Makes written files, or all files of folders, available under a name as `curated.vouchers`, for the length of the session. */
export function sparkViewStatement(name: string, uris: readonly string[]): string {
  return `CREATE OR REPLACE TEMPORARY VIEW ${sparkName(name)} AS SELECT * FROM ${sparkFiles(uris)}`;
}

function insertStatement(select: string, folder: string): string {
  return `INSERT OVERWRITE DIRECTORY ${sparkLiteral(sparkPath(folder))} USING parquet ${select}`;
}

/*
 * Where Spark and DuckDB leave for each other what a run makes, below the folder on S3 that the run has for itself.
 */

/** A part of a model that is kept: the folder that Spark writes it to. */
export function keptFolder(folder: string, name: string, part: number): string {
  return `${folder}/kept/${name}/${part.toString()}`;
}

/** A part of a model that is kept: the file that DuckDB writes it to. */
export function keptFile(folder: string, name: string, part: number): string {
  return `${keptFolder(folder, name, part)}.parquet`;
}

/** Where Spark writes what DuckDB is to have the rows of. */
export function fetchedFolder(folder: string, name: string): string {
  return `${folder}/fetched/${name}`;
}

/** The folder where DuckDB writes results for Spark. */
export function shownFile(folder: string, name: string): string {
  return `${folder}/shown/${name}.parquet`;
}
