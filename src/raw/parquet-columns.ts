import { textOf, type Row } from "../engine/builder.js";
import { type Engine } from "../engine/duckdb/duckdb-engine.js";
import { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import { filesStatement, guarded, wholeText } from "../engine/duckdb/duckdb-statements.js";
import { listLiteral, pathPattern } from "../sql-text/literal.js";
import type { ZoneFile } from "../zones/zone.js";
import { legacyFiles } from "./parquet-moments.js";
import { faultOfFile, type Findings, type RawFault } from "./raw-faults.js";
import type { FileColumn, InspectedFile } from "./raw-file.js";

interface SchemaElement {
  readonly column: FileColumn;
  readonly children: number;
  /** Everything that determines DuckDB's type. */
  readonly text: string;
  readonly rareType: string | undefined;
}

/**
 * Reads the columns of Parquet files from their footers, all in one statement.
 * @param needed the columns that the model reads.
 */
export async function inspectParquetFiles(
  engine: Engine,
  files: readonly ZoneFile[],
  needed: readonly string[],
): Promise<Findings<InspectedFile>> {
  try {
    return { results: await columnsOfFiles(engine, files, needed), faults: [] };
  } catch (error) {
    if (!(error instanceof DuckDbError) || error.isFatal) throw error;
    // The error may name no file, and there may be more than one faulty file.
    return files.length === 1
      ? { results: [], faults: [faultOfFile(files[0]?.path ?? "", error)] }
      : inspectOneByOne(engine, files, needed);
  }
}

async function inspectOneByOne(engine: Engine, files: readonly ZoneFile[], needed: readonly string[]) {
  const results: InspectedFile[] = [];
  const faults: RawFault[] = [];
  for (const file of files) {
    const findings = await inspectParquetFiles(engine, [file], needed);
    results.push(...findings.results);
    faults.push(...findings.faults);
  }
  return { results, faults };
}

async function columnsOfFiles(
  engine: Engine,
  files: readonly ZoneFile[],
  needed: readonly string[],
): Promise<InspectedFile[]> {
  if (files.length === 0) return [];
  const rows = await engine.rows(
    `SELECT file_name, ${guarded("name")} AS name, coalesce(duckdb_type, '') AS duckdb_type, coalesce(num_children, 0) AS children, ` +
      "column_id, precision, scale, CAST(type AS VARCHAR) AS type, CAST(converted_type AS VARCHAR) AS converted_type, logical_type, " +
      "CAST(repetition_type AS VARCHAR) AS repetition_type " +
      `FROM parquet_schema(${listLiteral(files.map(({ uri }) => pathPattern(uri)))}) ORDER BY file_name, column_id`,
  );
  const elements = new Map<string, SchemaElement[]>(files.map(({ uri }) => [uri, []]));
  for (const row of rows) {
    const name = wholeText(textOf(row, "name"));
    elements.get(textOf(row, "file_name"))?.push({
      column: {
        name,
        duckDbName: name,
        ...typeOf(row),
        ...unitOf(row),
        schemaIndex: Number(row["column_id"]),
      },
      children: Number(row["children"]),
      rareType: rareTypeOf(row),
      text: JSON.stringify([
        name,
        row["duckdb_type"],
        row["converted_type"],
        row["repetition_type"],
        row["children"],
      ]),
    });
  }
  const inspected: InspectedFile[] = [];
  for (const file of files) {
    const found = elements.get(file.uri) ?? [];
    const top = topLevel(found);
    const names = top.map(({ name }) => name);
    const isRepeated = new Set(names).size < names.length;
    const rareType = isRepeated
      ? "the same name as another"
      : found.find((each) => each.rareType !== undefined)?.rareType;
    inspected.push({
      file,
      format: "parquet",
      columns: await withDuckDbNames(engine, file, top, needed),
      ...(rareType !== undefined && { rareType }),
    });
  }
  return inspected;
}

/** The elements directly below the root of a schema that is written depth first. */
function topLevel(elements: readonly SchemaElement[]): FileColumn[] {
  const top: { column: FileColumn; parts: string[]; hasMilliseconds?: true }[] = [];
  /** The number of missing children of each element above. */
  const waiting: number[] = [];
  for (const { column, children, text } of elements.slice(1)) {
    if (waiting.length === 0) top.push({ column, parts: [] });
    else waiting.push((waiting.pop() ?? 1) - 1);
    const last = top.at(-1);
    if (last !== undefined && column.unit === "milliseconds") last.hasMilliseconds = true;
    if (waiting.length > 0 || children > 0) top.at(-1)?.parts.push(text);
    if (children > 0) waiting.push(children);
    while (waiting.at(-1) === 0) waiting.pop();
  }
  return top.map(({ column, parts, hasMilliseconds }) => ({
    ...column,
    ...(parts.length === 0 ? {} : { parts: parts.join() }),
    ...(hasMilliseconds && { hasMilliseconds }),
  }));
}

/** DuckDB's names ignore case: if a file has the same column twice for DuckDB, the later ones are renamed. */
async function withDuckDbNames(
  engine: Engine,
  file: ZoneFile,
  columns: readonly FileColumn[],
  needed: readonly string[],
): Promise<readonly FileColumn[]> {
  const isAmbiguous = needed.some(
    (need) => columns.filter(({ name }) => name.toLowerCase() === need.toLowerCase()).length > 1,
  );
  if (!isAmbiguous) return columns;
  const described = await engine.columnsOf(`(${filesStatement([file.uri])})`);
  return columns.map((column, index) => ({ ...column, duckDbName: described[index]?.name ?? column.name }));
}

/**
 * The maximum number of digits of a DECIMAL that DuckDB reads exactly: it reads longer ones as DOUBLE, and some of
 * those wrongly.
 */
const MAX_DIGITS = 38;

/**
 * The type of a column of a Parquet file, and the reason if DuckDB cannot read it.
 * @param row of `parquet_schema`.
 */
function typeOf(row: Row): Pick<FileColumn, "type" | "problem"> {
  const read = textIn(row, "duckdb_type");
  const decimal = decimalOf(row);
  if (decimal !== undefined && decimal.digits > MAX_DIGITS) {
    return {
      type: decimal.type,
      problem: `is ${decimal.type}; a DECIMAL of more than ${MAX_DIGITS} digits cannot be read exactly. Write it with at most ${MAX_DIGITS} digits, or as text`,
    };
  }
  if (textIn(row, "logical_type") === "BsonType()")
    return { type: "BSON", problem: "is BSON. Write it as text" };
  const said = decimal?.type ?? typeByLogicalType(row, read);
  if (said !== undefined && said !== read) {
    return {
      type: said,
      problem:
        `has the logical type ${said}, but its converted type is missing or different, so DuckDB would read ${read}. ` +
        "Write both types, or write it as text",
    };
  }
  // A column that may have several values in a row is a list.
  return { type: textIn(row, "repetition_type") === "REPEATED" ? "" : read };
}

/** The unit of a column of moments that DuckDB converts to microseconds; none for others. */
function unitOf(row: Row): Pick<FileColumn, "unit"> {
  const logical = textIn(row, "logical_type");
  if (!textIn(row, "duckdb_type").startsWith("TIMESTAMP")) return {};
  if (textIn(row, "type") === "INT96") return { unit: "int96" };
  if (logical.includes("MILLIS=Milli") || textIn(row, "converted_type") === "TIMESTAMP_MILLIS")
    return { unit: "milliseconds" };
  // Without a time zone DuckDB does not change them.
  return logical.includes("NANOS=Nano") && logical.includes("isAdjustedToUTC=1")
    ? { unit: "nanoseconds" }
    : {};
}

const MOST_DIGITS_OF_SPARK = 38;

/** Types for which Spark refuses the whole file, also if nobody reads their columns. */
function rareTypeOf(row: Row): string | undefined {
  if (textIn(row, "logical_type") === "Float16Type()") return "FLOAT16";
  const decimal = decimalOf(row);
  if (decimal !== undefined && decimal.digits > MOST_DIGITS_OF_SPARK) return decimal.type;
  return /^(TIME\b|UUID|INTERVAL|GEOMETRY|VARIANT)/.exec(textIn(row, "duckdb_type"))?.[0];
}

function decimalOf(row: Row): { type: string; digits: number } | undefined {
  const [, byLogical] =
    /^DecimalType\(scale=-?\d+, precision=(\d+)\)/.exec(textIn(row, "logical_type")) ?? [];
  const [, scaleByLogical] = /^DecimalType\(scale=(-?\d+)/.exec(textIn(row, "logical_type")) ?? [];
  if (byLogical === undefined && textIn(row, "converted_type") !== "DECIMAL") return undefined;
  const digits = Number(byLogical ?? row["precision"]);
  const scale = Number(scaleByLogical ?? row["scale"]);
  return { type: `DECIMAL(${digits},${scale})`, digits };
}

/** DuckDB knows some logical types only by their converted type, which older files have instead. */
function typeByLogicalType(row: Row, read: string): string | undefined {
  const [, name = "", isUnsigned] =
    /^(Date|Time|Timestamp|UUID|Float16|Int)Type\((?:[^]*isSigned=(0))?/.exec(textIn(row, "logical_type")) ??
    [];
  switch (name) {
    case "Date":
      return "DATE";
    case "UUID":
      return "UUID";
    case "Float16":
      return "FLOAT";
    case "Time":
      return read.startsWith("TIME") ? read : "TIME";
    case "Timestamp":
      return read.startsWith("TIMESTAMP") && !isMillisecondsByConvertedType(row)
        ? read
        : "TIMESTAMP in another unit";
    case "Int":
      if (isUnsigned === "0") return read.startsWith("U") ? read : "an unsigned whole number";
      return /^(TINYINT|SMALLINT|INTEGER|BIGINT)$/.test(read) ? read : "a whole number";
    default:
      return undefined;
  }
}

/** For DuckDB this converted type has priority over the logical type. */
function isMillisecondsByConvertedType(row: Row): boolean {
  return (
    textIn(row, "converted_type") === "TIMESTAMP_MILLIS" &&
    !textIn(row, "logical_type").includes("MILLIS=Milli")
  );
}

function textIn(row: Row, column: string): string {
  const value = row[column];
  return typeof value === "string" ? value : "";
}

/**
 * The codecs of a footer that DuckDB cannot show. It also shows the statistics, which may have a moment out of its
 * range.
 */
const UNKNOWN = ["that DuckDB cannot tell"];

/** The facts in the footer of a Parquet file that decide if a cluster reads it. */
interface Footer {
  readonly codecs: readonly string[];
  /** The columns with statistics that do not prove that all values are in the years 1 to 9999. */
  readonly unproven: readonly string[];
}

/**
 * Adds to each Parquet file what decides if a cluster reads it: the compression of its pages, by DuckDB's names of
 * the codecs, the columns of ordinary moments, and the calendar.
 * @param needed the columns that the model reads.
 */
export async function withFooters(
  engine: Engine,
  files: readonly InspectedFile[],
  needed: readonly string[],
): Promise<readonly InspectedFile[]> {
  const parquet = files.filter(({ format }) => format === "parquet");
  const uris = parquet.map(({ file }) => file.uri);
  const footers = await footersOf(engine, uris, needed);
  const legacy = await legacyFiles(engine, parquet);
  return files.map((each) => {
    if (each.format === "csv") return each;
    // A file without rows has no pages.
    const { codecs, unproven } = footers.get(each.file.uri) ?? { codecs: [], unproven: [] };
    return {
      ...each,
      codecs,
      ...(legacy.has(each.file.uri) && { isLegacy: true as const }),
      columns: each.columns.map((column) =>
        !/^(DATE|TIMESTAMP)/.test(column.type) || unproven.includes(column.name)
          ? column
          : { ...column, isOrdinary: true as const },
      ),
    };
  });
}

async function footersOf(
  engine: Engine,
  uris: readonly string[],
  needed: readonly string[],
): Promise<ReadonlyMap<string, Footer>> {
  if (uris.length === 0) return new Map();
  try {
    const rows = await engine.rows(footersStatement(uris, needed));
    return new Map(
      rows.map((row) => [
        textOf(row, "file_name"),
        { codecs: textsIn(row, "codecs"), unproven: textsIn(row, "unproven") },
      ]),
    );
  } catch (error) {
    if (!(error instanceof DuckDbError) || error.isFatal) throw error;
    if (uris.length === 1) return new Map(uris.map((uri) => [uri, { codecs: UNKNOWN, unproven: needed }]));
    const half = Math.ceil(uris.length / 2);
    const found = [
      await footersOf(engine, uris.slice(0, half), needed),
      await footersOf(engine, uris.slice(half), needed),
    ];
    return new Map(found.flatMap((footers) => [...footers]));
  }
}

/** The texts of a list; none if it is missing. */
function textsIn(row: Row, column: string): string[] {
  const list = row[column];
  return Array.isArray(list) ? list.map(String) : [];
}

/** fastparquet leaves missing times out of its statistics, and writes them as the lowest number. */
function footersStatement(uris: readonly string[], needed: readonly string[]): string {
  const list = listLiteral(uris.map(pathPattern));
  const isOrdinary = (text: string) =>
    `regexp_full_match(${text}, '[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9:.]+([+]00)?)?')`;
  return (
    "SELECT file_name, list_sort(list(DISTINCT compression)) AS codecs, " +
    "list_sort(list(DISTINCT path_in_schema) FILTER (WHERE " +
    `list_contains(${listLiteral(needed)}, path_in_schema) AND NOT coalesce(stats_null_count = num_values OR ` +
    `(${isOrdinary("coalesce(stats_min_value, stats_min)")} AND ${isOrdinary("coalesce(stats_max_value, stats_max)")} ` +
    "AND created_by NOT LIKE 'fastparquet%'), false))) AS unproven " +
    `FROM parquet_metadata(${list}) JOIN (SELECT file_name, coalesce(created_by, '') AS created_by ` +
    `FROM parquet_file_metadata(${list})) USING (file_name) GROUP BY file_name`
  );
}
