import { identifier, listLiteral, listOf, literal } from "../sql-literal.js";
import type { RawColumn, RawPart } from "./raw-part.js";

/** Who runs a text of SQL. */
export type DialectName = "duckdb" | "spark";

/** How an engine wants written what templates leave open. Everything else that differs is in its file of functions. */
export interface Dialect {
  readonly name: DialectName;
  /** The functions that the models share, below the folder of a version. */
  readonly functionsFile: string;
  /** A text, a number or a boolean. */
  literal(value: unknown): string;
  /** The name of a column. */
  identifier(value: unknown): string;
  /** Texts as a list. */
  list(values: unknown): string;
  /** A model, by its name: `curated.vouchers`. */
  relation(model: string): string;
  /** A column of a raw file, as something that the functions take. */
  column(column: RawColumn): string;
  /** The rows of raw files, with a column more that tells the file. */
  rows(part: RawPart): string;
}

/** The dialect that the SQL files are written in. */
export const DUCKDB: Dialect = {
  name: "duckdb",
  functionsFile: "functions/duckdb.sql",
  literal,
  identifier,
  list: listLiteral,
  relation: (model) => model,
  // What the functions do not know is read as text.
  column: ({ name, castTo }) => (castTo === undefined ? quoted(name) : `CAST(${quoted(name)} AS ${castTo})`),
  rows: ({ format, files, fileColumn, header, compression }) => {
    const list = listLiteral(files);
    if (format === "parquet") return `parquet_rows(${list}, ${literal(fileColumn)})`;
    const types = header.map((name) => `${identifier(name)}: 'VARCHAR'`).join(", ");
    return `csv_rows(${list}, { ${types} }, ${literal(compression)}, ${literal(fileColumn)})`;
  },
};

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The dialect of Spark 4, in a session that is set as the engine sets it. */
export const SPARK: Dialect = {
  name: "spark",
  functionsFile: "functions/spark.sql",
  literal: sparkLiteral,
  identifier: backticked,
  list: (values) => `array(${listOf(values).map(sparkLiteral).join(", ")})`,
  relation: backticked,
  column: ({ name, type }) => {
    const constructor = SPARK_CONSTRUCTORS[type];
    if (constructor === undefined) throw new TypeError(`Spark is not asked to read ${type}`);
    return constructor(backticked(name));
  },
  rows: ({ files, fileColumn }) => `(
        -- Spark tells the address of a file as a URL.
        SELECT *, replace(url_decode(replace(input_file_name(), '+', '%2B')), 's3a://', 's3://') AS ${backticked(fileColumn)}
        FROM ${sparkFiles(files)}
      )`,
};

/** Parquet files on S3, as Spark reads them in the place of a table. */
export function sparkFiles(uris: readonly string[]): string {
  const paths = uris.map(sparkPath);
  return `parquet.${backticked(paths.length === 1 ? paths.join() : `{${paths.join(",")}}`)}`;
}

/** An address on S3, as Hadoop's client knows it. */
export function sparkPath(uri: string): string {
  return uri.replace(/^s3:/, "s3a:");
}

/**
 * Whether Spark reads raw files as DuckDB does. What it reads otherwise, CSV among it and types that are seldom there, and names that
 * mean something to Hadoop, is for DuckDB to read.
 */
export function sparkReads({ format, files, columns }: RawPart): boolean {
  return (
    format === "parquet" &&
    files.every((file) => HADOOP_TAKES.test(file)) &&
    Object.entries(columns).every(
      ([name, column]) =>
        column.name === name && column.castTo === undefined && SPARK_CONSTRUCTORS[column.type] !== undefined,
    )
  );
}

const HADOOP_TAKES = /^s3:\/\/[\p{L}\p{N} _.=+@()~$'!&%/-]+$/u;

/** Spark's functions take a value together with what it is: they have no overloads. */
const SPARK_CONSTRUCTORS: Readonly<Record<string, (column: string) => string>> = {
  VARCHAR: (column) => `raw_text(${column})`,
  BLOB: (column) => `raw_text(${column})`,
  DATE: (column) => `raw_date(${column})`,
  TIMESTAMP: (column) => `raw_moment(CAST(${column} AS TIMESTAMP_NTZ))`,
  TIMESTAMP_MS: (column) => `raw_moment(CAST(${column} AS TIMESTAMP_NTZ))`,
  TIMESTAMP_NS: (column) => `raw_nanoseconds(${column})`,
  "TIMESTAMP WITH TIME ZONE": (column) => `raw_zoned(${column})`,
  DOUBLE: (column) => `raw_number(${column})`,
  TINYINT: whole,
  SMALLINT: whole,
  INTEGER: whole,
  BIGINT: whole,
};

function whole(column: string): string {
  return `raw_whole(CAST(${column} AS BIGINT))`;
}

function sparkLiteral(value: unknown): string {
  // In a text of Spark a backslash changes what follows.
  return literal(typeof value === "string" ? value.replaceAll("\\", "\\\\") : value);
}

function backticked(value: unknown): string {
  if (typeof value !== "string" || value === "") throw new TypeError("a name is a text");
  return `\`${value.replaceAll("`", "``")}\``;
}
