import { isPlainToSpark } from "../base/spark-paths.js";
import { identifier, listLiteral, listOf, literal } from "../sql-text/literal.js";
import { sparkFiles, sparkLiteral, sparkName } from "../sql-text/spark-literal.js";

/** A column of a raw file, in the form for SQL. */
export interface RawColumn {
  /** DuckDB's name of the column. */
  readonly name: string;
  /**
   * Its type in the files. Files with another type are another part: otherwise a scan would cast them to the type of
   * its first file.
   */
  readonly type: string;
  /**
   * The unit of its moments, if DuckDB's conversion to microseconds would lose some: milliseconds, nanoseconds with a
   * time zone, or INT96. The first two have the type BIGINT or TIMESTAMP_NS if their numbers are read unchanged.
   */
  readonly unit?: "milliseconds" | "nanoseconds" | "int96";
  /** The inner types of a nested type. */
  readonly parts?: string;
  /** Whether the statistics of its files prove that all its moments are in the years 1 to 9999; only known for a cluster. */
  readonly isOrdinary?: true;
  /** The type to cast it to, if the functions of the models do not accept its own type. */
  readonly castTo?: "DOUBLE" | "VARCHAR";
}

/** Raw files that one SELECT can read: one format, and the same columns with the same types. */
export interface RawPart {
  readonly format: "csv" | "parquet";
  /** The common start of the paths: the raw zone, or the folder of the copies. */
  readonly root: string;
  /** The files in the order of their names, each as a pattern that matches only this file. */
  readonly files: readonly string[];
  /** Their size together. */
  readonly bytes: number;
  /** A name for the column with the file name, which no file has as a column. */
  readonly fileColumn: string;
  /** The columns that the raw model reads. */
  readonly columns: Readonly<Record<string, RawColumn>>;
  /** For CSV. It is explicit, because the engine does not see the extension of a path with a `?`. */
  readonly compression: "gzip" | "none";
  /** For Parquet, the compression of the pages, by DuckDB's names; not set if only DuckDB reads the files. */
  readonly codecs?: readonly string[];
  /** For Parquet, a type of any column that only DuckDB can read, as it is in the file. */
  readonly rareType?: string;
  /** For Parquet, whether Spark marked its moments as those of its calendar before version 3; not set if only DuckDB reads the files. */
  readonly isLegacy?: true;
  /** For CSV, every column in the order of the header line. */
  readonly header: readonly string[];
  /** For CSV, the number of rows in all files, from the check of the bytes. */
  readonly rowCount?: number;
  /** For CSV, whether one thread must read a file from its beginning to its end: quoted values hold line breaks. */
  readonly isReadInOrder?: true;
  /**
   * For Parquet, whether the SELECT must name the columns. DuckDB checks the statistics of all selected columns, and
   * fails at milliseconds that it cannot convert.
   */
  readonly isReadByName?: true;
}

/** The engine of a SQL text, named like its file of functions. */
export type DialectName = "duckdb" | "spark";

/** The SQL forms of one engine. All other differences are in its file of functions. */
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
  /** A column of a raw file, as an argument for the functions. */
  column(column: RawColumn): string;
  /** The rows of raw files, with an additional column for the file name. */
  rows(part: RawPart): string;
}

/** The dialect that the SQL files are written in. */
export const DUCKDB: Dialect = {
  name: "duckdb",
  literal,
  identifier,
  list: listLiteral,
  relation: (model) => model,
  // Types that the functions do not know are read as text.
  column: (column) => {
    const { type, unit, castTo } = column;
    const value = valueOf(column);
    if (castTo === undefined) return value;
    // Some moments are not castable to text.
    if (castTo === "VARCHAR" && (unit !== undefined || type.startsWith("TIMESTAMP")))
      return `as_text(${value})`;
    return `CAST(${value} AS ${castTo})`;
  },
  // The last argument is given only if needed: the functions of older SQL versions do not know it.
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
 * DuckDB's days overflow far from today, and the lowest nanosecond means a missing value. Both become infinite, and
 * so invalid. The expression computes the numbers, so that wrong statistics of the file have no effect. Functions of
 * older SQL versions do not handle these cases.
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

/** The dialect of Spark 4, in a session with the engine's settings. */
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
 * The reason why Spark does not read raw files, because it would read them differently from DuckDB; undefined if it
 * reads them.
 */
export function sparkRefusal(part: RawPart): string | undefined {
  const { format, files, columns, codecs = [], rareType, isLegacy } = part;
  if (format === "csv") return "CSV";
  const codec = codecs.find((each) => !SPARK_CODECS.has(each));
  if (codec !== undefined) return `compression ${codec}`;
  if (rareType !== undefined) return `a column of ${rareType}`;
  if (isLegacy) return "the calendar of Spark 2";
  for (const [name, column] of Object.entries(columns)) {
    const refusal = refusalOfColumn(name, column);
    if (refusal !== undefined) return `${name}: ${refusal}`;
  }
  return files.every(isPlainToSpark)
    ? undefined
    : "a name with characters that Hadoop does not take literally";
}

function refusalOfColumn(name: string, column: RawColumn): string | undefined {
  const { type, unit, castTo, isOrdinary } = column;
  if (column.name !== name) return "the same name in another case";
  if (unit === "int96") return "moments as INT96";
  if (unit === "nanoseconds") return "moments in nanoseconds";
  if (type === ALL_MISSING) return undefined;
  if (castTo !== undefined || SPARK_CONSTRUCTORS[type] === undefined) return `the type ${type || "nested"}`;
  return isOrdinary || !/^(DATE|TIMESTAMP)/.test(type)
    ? undefined
    : "times outside the years 1 to 9999, or no reliable statistics of them";
}

/** DuckDB's type of a column that has no value in the whole file. */
const ALL_MISSING = '"NULL"';

/** The codecs that Spark includes; Brotli would need an installation. */
const SPARK_CODECS = new Set(["UNCOMPRESSED", "SNAPPY", "GZIP", "ZSTD", "LZ4_RAW"]);

/**
 * Spark's functions receive a value together with its type, because they have no overloads. A file without a logical
 * type has moments with a time zone for Spark, and without one for DuckDB.
 */
const SPARK_CONSTRUCTORS: Readonly<Record<string, (column: string) => string>> = {
  VARCHAR: (column) => `raw_text(${column})`,
  [ALL_MISSING]: () => "raw_text(NULL)",
  DATE: (column) => `raw_text(CAST(${column} AS STRING))`,
  TIMESTAMP: (column) => `raw_moment(CAST(${column} AS TIMESTAMP_NTZ))`,
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
