import type { Row } from "../engine/engine.js";
import type { FileColumn } from "./inspect.js";

/** The most digits of a DECIMAL that DuckDB reads exactly: it reads longer ones as DOUBLE, and some of those wrongly. */
const MAX_DIGITS = 38;

/**
 * The type of a column of a Parquet file, and why DuckDB cannot read what it says.
 * @param row of `parquet_schema`.
 */
export function typeOf(row: Row): Pick<FileColumn, "type" | "problem"> {
  const read = textIn(row, "duckdb_type");
  const decimal = decimalOf(row);
  if (decimal !== undefined && decimal.digits > MAX_DIGITS) {
    return {
      type: decimal.type,
      problem: `is ${decimal.type}; a DECIMAL of more than ${MAX_DIGITS} digits cannot be read exactly. Write it with at most ${MAX_DIGITS} digits, or as text`,
    };
  }
  if (textIn(row, "logical_type") === "BsonType()")
    return { type: "BSON", problem: "is BSON, which is no text. Write it as text" };
  const said = decimal?.type ?? typeByLogicalType(row, read);
  if (said !== undefined && said !== read) {
    return {
      type: said,
      problem:
        `is ${said} by its logical type, but its converted type is missing or another, and DuckDB would read ${read}. ` +
        "Write both, or write it as text",
    };
  }
  // A column that may have several values in a row is a list.
  return { type: textIn(row, "repetition_type") === "REPEATED" ? "" : read };
}

/** The unit of a column of moments that DuckDB converts to microseconds; none for others. */
export function unitOf(row: Row): Pick<FileColumn, "unit"> {
  const logical = textIn(row, "logical_type");
  if (!textIn(row, "duckdb_type").startsWith("TIMESTAMP")) return {};
  if (textIn(row, "type") === "INT96") return { unit: "int96" };
  if (logical.includes("MILLIS=Milli") || textIn(row, "converted_type") === "TIMESTAMP_MILLIS")
    return { unit: "milliseconds" };
  // Without a time zone DuckDB keeps them as they are.
  return logical.includes("NANOS=Nano") && logical.includes("isAdjustedToUTC=1")
    ? { unit: "nanoseconds" }
    : {};
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

/** DuckDB knows some logical types only by the converted type that older files had in their place. */
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

/** DuckDB believes this converted type more than the logical type. */
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
