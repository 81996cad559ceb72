import { sparkLiteral, sparkName, sparkPath, sparkPattern } from "../../sql-text/spark-literal.js";

/*
 * The runner's own text around the SELECT of a model for Spark. The SELECT begins on the first line, so that the line
 * number of an error is that of the model's file.
 */

/** Writes the rows of a query, without an order, to Parquet files of a folder: one for each part of the work. */
export function spreadStatement(select: string, folder: string): string {
  return insertStatement(`SELECT rows.* FROM (${select}\n) AS rows CROSS JOIN (SELECT 1)`, folder);
}

/**
 * Writes the rows of a query to Parquet files of a folder. In the order of the file names, the rows are in the order
 * of the query.
 */
export function orderedStatement(select: string, folder: string): string {
  return insertStatement(`SELECT * FROM (${select}\n)`, folder);
}

/**
 * Makes written files, or all files of folders, available under a name such as `curated.vouchers`, until the end of
 * the session. Spark lists the files and infers the columns here, and not again for each use: a view of a query over
 * files would do both each time.
 */
export function sparkViewStatement(name: string, uris: readonly string[]): string {
  const place = sparkLiteral(sparkPattern(uris));
  return `CREATE OR REPLACE TEMPORARY VIEW ${sparkName(name)} USING parquet OPTIONS (path ${place})`;
}

function insertStatement(select: string, folder: string): string {
  return `INSERT OVERWRITE DIRECTORY ${sparkLiteral(sparkPath(folder))} USING parquet ${select}`;
}

/* The places where Spark and DuckDB exchange models, below the S3 folder of the run. */

/** A part of a kept model: the folder that Spark writes. */
export function keptFolder(folder: string, name: string, part: number): string {
  return `${folder}/kept/${name}/${part.toString()}`;
}

/** A part of a kept model: the file that DuckDB writes. */
export function keptFile(folder: string, name: string, part: number): string {
  return `${keptFolder(folder, name, part)}.parquet`;
}

/** The folder where Spark writes rows for DuckDB. */
export function fetchedFolder(folder: string, name: string): string {
  return `${folder}/fetched/${name}`;
}

/** The file where DuckDB writes results for Spark. */
export function shownFile(folder: string, name: string): string {
  return `${folder}/shown/${name}.parquet`;
}
