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

/** Where DuckDB writes what it keeps, for Spark to read. */
export function shownFile(folder: string, name: string): string {
  return `${folder}/shown/${name}.parquet`;
}
