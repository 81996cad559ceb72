import { identifier, listLiteral, listOf, literal } from "../sql-text/literal.js";
import { isPlainToSpark, sparkFiles, sparkLiteral, sparkName } from "../sql-text/spark-literal.js";

/** A column of a raw file, as SQL can read it. */
export interface RawColumn {
  /** The name under which DuckDB knows the column. */
  readonly name: string;
  /** Its type in the files. Files of another type are another part: a scan would cast them to that of its first file. */
  readonly type: string;
  /**
   * What it holds moments by, where DuckDB would convert them to microseconds and lose some: milliseconds, nanoseconds with a time
   * zone, or INT96. The first two have the type BIGINT or TIMESTAMP_NS where their numbers are read as they are.
   */
  readonly unit?: "milliseconds" | "nanoseconds" | "int96";
  /** What a nested type is made of. */
  readonly parts?: string;
  /** The type to cast it to before a function of the models takes it, where its own is none that they know. */
  readonly castTo?: "DOUBLE" | "VARCHAR";
}

/** Raw files that one SELECT can read: of one format, with the same columns of the same types. */
export interface RawPart {
  readonly format: "csv" | "parquet";
  /** What the paths of the files begin with: the raw zone, or the folder that their copies are in. */
  readonly root: string;
  /** The files in the order of their names, each as a pattern that matches only this file. */
  readonly files: readonly string[];
  /** How large they are together. */
  readonly bytes: number;
  /** A name that is not a column of any of the files, for the column that tells the file. */
  readonly fileColumn: string;
  /** The columns that the raw model reads. */
  readonly columns: Readonly<Record<string, RawColumn>>;
  /** For CSV, said and not left to be found: in a path with a `?` the engine would not see the end. */
  readonly compression: "gzip" | "none";
  /** For Parquet, what the pages are compressed with, by DuckDB's names; where only DuckDB reads the files, nobody asks. */
  readonly codecs?: readonly string[];
  /** For CSV, every column in the order of the header line. */
  readonly header: readonly string[];
  /** For CSV, how many rows the check of the bytes has counted in all files together. */
  readonly rowCount?: number;
  /** For CSV, whether one thread must read a file from its beginning to its end: quoted values hold line breaks. */
  readonly isReadInOrder?: true;
  /**
   * For Parquet, whether the needed columns must be named: DuckDB looks at the statistics of all that are asked for, and fails at
   * milliseconds that it cannot convert.
   */
  readonly isReadByName?: true;
}

/** Who runs a text of SQL, as its file of functions is called. */
export type DialectName = "duckdb" | "spark";

/** How an engine wants written what templates leave open. Everything else that differs is in its file of functions. */
export interface Dialect {
  readonly name: DialectName;
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
  literal,
  identifier,
  list: listLiteral,
  relation: (model) => model,
  // What the functions do not know is read as text.
  column: (column) => {
    const { type, unit, castTo } = column;
    const value = valueOf(column);
    if (castTo === undefined) return value;
    // Not every number of a moment has a text to cast it to.
    if (castTo === "VARCHAR" && (unit !== undefined || type.startsWith("TIMESTAMP")))
      return `as_text(${value})`;
    return `CAST(${value} AS ${castTo})`;
  },
  // The last argument is given only if it is needed: the functions of older SQL versions do not know it.
  rows: ({ format, files, fileColumn, header, compression, columns, isReadInOrder, isReadByName }) => {
    const list = listLiteral(files);
    if (format === "parquet") {
      const names = [...Object.values(columns).map(({ name }) => name), fileColumn];
      const byName = isReadByName === true ? `, columns_read := ${listLiteral(names)}` : "";
      return `parquet_rows(${list}, ${literal(fileColumn)}${byName})`;
    }
    const types = header.map((name) => `${identifier(name)}: 'VARCHAR'`).join(", ");
    const inOrder = isReadInOrder === true ? ", in_order := TRUE" : "";
    return `csv_rows(${list}, { ${types} }, ${literal(compression)}, ${literal(fileColumn)}${inOrder})`;
  },
};

function valueOf({ name, type, unit }: RawColumn): string {
  if (unit === "milliseconds" && type === "BIGINT") return `raw_milliseconds(${quoted(name)})`;
  return unit === "int96" ? finiteInt96(quoted(name)) : quoted(name);
}

/**
 * DuckDB's days overflow far from today, and the lowest nanosecond stands for a missing value. Both become infinite, and so invalid.
 * The numbers are computed, so that no wrong statistics of the file decide. Functions of older SQL versions know of none of this.
 */
function finiteInt96(value: string): string {
  return (
    `CASE WHEN ${value} NOT BETWEEN greatest(${value}, TIMESTAMP '0001-01-01') AND TIMESTAMP '9999-12-31 23:59:59.999999' ` +
    `OR xor(epoch_us(${value}), 1) = -9223372036854775 THEN TIMESTAMP '-infinity' ELSE ${value} END`
  );
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** The dialect of Spark 4, in a session that is set as the engine sets it. */
export const SPARK: Dialect = {
  name: "spark",
  literal: sparkLiteral,
  identifier: sparkName,
  list: (values) => `array(${listOf(values).map(sparkLiteral).join(", ")})`,
  relation: sparkName,
  column: ({ name, type }) => {
    const constructor = SPARK_CONSTRUCTORS[type];
    if (constructor === undefined) throw new TypeError(`Spark does not read ${type}`);
    return constructor(sparkName(name));
  },
  rows: ({ files, fileColumn }) => `(
        -- Spark tells the address of a file as a URL.
        SELECT *, replace(url_decode(replace(input_file_name(), '+', '%2B')), 's3a://', 's3://') AS ${sparkName(fileColumn)}
        FROM ${sparkFiles(files)}
      )`,
};

/**
 * Whether Spark reads raw files as DuckDB does. What it reads otherwise, CSV among it and types and codecs that are seldom there, and
 * names that mean something to Hadoop, is for DuckDB to read.
 */
export function sparkReads({ format, files, columns, codecs = [] }: RawPart): boolean {
  return (
    format === "parquet" &&
    codecs.every((codec) => SPARK_CODECS.has(codec)) &&
    files.every(isPlainToSpark) &&
    Object.entries(columns).every(
      ([name, column]) =>
        column.name === name &&
        column.castTo === undefined &&
        // Spark multiplies milliseconds before it looks at them, and fails at the infinities. Nanoseconds it gives by their number.
        column.unit === undefined &&
        SPARK_CONSTRUCTORS[column.type] !== undefined,
    )
  );
}

/** What Spark has at hand; Brotli it would have to be given. */
const SPARK_CODECS = new Set(["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"]);

/** Spark's functions take a value together with what it is: they have no overloads. */
const SPARK_CONSTRUCTORS: Readonly<Record<string, (column: string) => string>> = {
  VARCHAR: (column) => `raw_text(${column})`,
  BLOB: (column) => `raw_text(${column})`,
  DATE: (column) => `raw_date(${column})`,
  TIMESTAMP: (column) => `raw_moment(CAST(${column} AS TIMESTAMP_NTZ))`,
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
