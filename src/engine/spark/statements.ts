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
