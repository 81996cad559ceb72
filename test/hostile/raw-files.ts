import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { query, wholeText, writeParquet } from "../duckdb.js";
import { COLUMNS, type Column, type RawRow, type RawValue } from "./contract.js";
import { countryTexts, momentTexts, numberTexts } from "./texts.js";
import { typedColumns, type TypedColumn, type TypedValue } from "./typed-columns.js";

/** A file for a raw zone, before it is written. */
export type RawFile = ParquetFile | CsvFile;

interface ParquetFile {
  readonly format: "parquet";
  readonly name: string;
  /** All columns in their order, with the types of those that are read. */
  readonly columns: readonly string[];
  readonly types: Readonly<Record<Column, string>>;
  readonly rows: readonly Readonly<Record<Column, TypedValue | null>>[];
  readonly options: string;
}

interface CsvFile {
  readonly format: "csv";
  readonly name: string;
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<Column, string>>[];
  readonly style: CsvStyle;
}

interface CsvStyle {
  readonly lineEnd: "\n" | "\r\n";
  readonly hasByteOrderMark: boolean;
  readonly endsWithLineEnd: boolean;
  readonly quotes: "where needed" | "everywhere";
  /** Each becomes a member of a gzip of its own, where the file is compressed. */
  readonly gzipMembers: number;
}

/** Some files of a raw zone, with names that do not clash. */
export function rawFiles(executionDate: bigint, maxRows: number): fc.Arbitrary<RawFile[]> {
  const file: fc.Arbitrary<RawFile> = fc.oneof(
    parquetFiles(executionDate, maxRows),
    csvFiles(executionDate, maxRows),
  );
  return fc
    .array(file, { minLength: 1, maxLength: 6 })
    .map((files) => files.map((each, index) => ({ ...each, name: each.name.replace("#", String(index)) })));
}

/** Folders of all kinds: their names mean nothing. */
const FOLDERS = fc.constantFrom(
  ...[
    "",
    "",
    "2020/05/",
    "country_code=Chile/",
    "it's; [a] *?/",
    "ünï 🙂/",
    "a/b/c/d/e/f/g/h/",
    "x.parquet/",
  ],
);

/** Columns that no one reads, beside the six, in any order. */
function columnOrders(further: readonly string[]): fc.Arbitrary<string[]> {
  return fc
    .subarray([...further])
    .chain((more) => fc.shuffledSubarray([...COLUMNS, ...more], { minLength: COLUMNS.length + more.length }));
}

/**
 * Parquet files with columns of every type, or of those that are wanted. A `#` in the name stands for what makes it differ from
 * others.
 */
export function parquetFiles(
  executionDate: bigint,
  maxRows: number,
  isWanted: (type: string) => boolean = () => true,
): fc.Arbitrary<ParquetFile> {
  const typed = fc.record(
    perColumn((column) => typedColumns(column, executionDate).filter(({ type }) => isWanted(type))),
  );
  return typed.chain((columns) =>
    fc.record({
      format: fc.constant("parquet" as const),
      name: fc
        .tuple(FOLDERS, fc.constantFrom("#.parquet", "#.parquet", "#.parquet.gzip"))
        .map((parts) => parts.join("")),
      columns: columnOrders(["extra", "filename", "source_file", "file_row_number", "it's"]),
      types: fc.constant(perColumn((column) => columns[column].type)),
      rows: fc.array(fc.record(perColumn((column) => nullable(columns[column]))), {
        maxLength: maxRows,
        size: "max",
      }),
      options: fc.constantFrom(
        "COMPRESSION uncompressed",
        "COMPRESSION gzip",
        "COMPRESSION zstd, ROW_GROUP_SIZE 2048",
        "COMPRESSION snappy, PARQUET_VERSION v2",
        "COMPRESSION lz4_raw, PARQUET_VERSION v2",
        "COMPRESSION brotli",
      ),
    }),
  );
}

function nullable({ values }: TypedColumn): fc.Arbitrary<TypedValue | null> {
  return fc.option(values, { freq: 25 });
}

/** CSV files as RFC 4180 allows them, with names as those of `parquetFiles`. */
export function csvFiles(executionDate: bigint, maxRows: number): fc.Arbitrary<CsvFile> {
  const texts = perColumn((column) => csvTexts(column, executionDate));
  return fc.record({
    format: fc.constant("csv" as const),
    name: fc.tuple(FOLDERS, fc.constantFrom("#.csv", "#.csv.gz")).map((parts) => parts.join("")),
    columns: columnOrders(["extra", "TIMESTAMP", "", " timestamp", "a,b", 'a"b', "🙂"]),
    rows: fc.array(fc.record(texts), { maxLength: maxRows, size: "max" }),
    style: fc.record({
      lineEnd: fc.constantFrom("\n", "\r\n"),
      hasByteOrderMark: fc.boolean(),
      endsWithLineEnd: fc.boolean(),
      quotes: fc.constantFrom("where needed", "everywhere"),
      gzipMembers: fc.integer({ min: 1, max: 3 }),
    }),
  });
}

function csvTexts(column: Column, executionDate: bigint): fc.Arbitrary<string> {
  if (column === "country_code") return countryTexts();
  return column.endsWith("timestamp") || column.endsWith("_ts") ? momentTexts(executionDate) : numberTexts();
}

/** Writes a file, and gives its rows as the contract takes them. */
export async function writeRawFile(folder: string, file: RawFile): Promise<RawRow[]> {
  const target = path.join(folder, file.name);
  if (file.format === "parquet") return writeParquetFile(target, file);
  const content = csvOf(file);
  await mkdir(path.dirname(target), { recursive: true });
  await writeFile(target, file.name.endsWith(".gz") ? gzipped(content, file.style.gzipMembers) : content);
  return file.rows.map(textRow);
}

/** A row of texts as the contract takes it. */
export function textRow(texts: Readonly<Record<Column, string | null>>): RawRow {
  return perColumn((column) => ({ type: "text", text: texts[column] }));
}

async function writeParquetFile(target: string, file: ParquetFile): Promise<RawRow[]> {
  const { rows, types, columns } = file;
  const nulls = COLUMNS.map((column) => `NULL::${types[column]}`);
  const values = rows.map((row, index) => [
    String(index),
    ...COLUMNS.map((column) => row[column]?.sql ?? "NULL"),
  ]);
  const selected = columns.map((name, index) =>
    isColumn(name) ? `"${name}"::${types[name]} AS "${name}"` : `${String(index)} AS "${name}"`,
  );
  // The row before the first one gives the columns their types where there are no rows.
  const table = [["-1", ...nulls], ...values].map((row) => `(${row.join(", ")})`).join(", ");
  await writeParquet(
    target,
    `SELECT ${selected.join(", ")} FROM (VALUES ${table}) AS vouchers("row", ${COLUMNS.map((name) => `"${name}"`).join(", ")})
     WHERE "row" >= 0 ORDER BY "row"`,
    file.options,
  );
  const shown = await shownTexts(target, types);
  return rows.map((row, index) =>
    perColumn((column): RawValue => {
      const [value, text] = [row[column], shown[index]?.[column]];
      if (value === null || text == null) return { type: "text", text: null };
      return { ...value.says, text };
    }),
  );
}

/** The values of a written file as its engine shows them. */
async function shownTexts(file: string, types: ParquetFile["types"]) {
  const texts = COLUMNS.map((name) => `'=' || ${textExpression(name, types[name])} AS "${name}"`).join(", ");
  const rows = await query(
    `SELECT ${texts} FROM read_parquet('${file.replaceAll("'", "''").replaceAll(/[*?[]/g, "[$&]")}', binary_as_string = true, hive_partitioning = false)`,
  );
  return rows.map((row) => perColumn((column) => wholeText(row[column])));
}

function textExpression(name: Column, type: string): string {
  // What a FLOAT holds has more digits than are shown of a FLOAT.
  if (type === "FLOAT" && !/timestamp|_ts$/.test(name)) return `"${name}"::DOUBLE::VARCHAR`;
  // What no calendar has is shown as the number that it is.
  const count = `${type === "TIMESTAMP_NS" ? "epoch_ns" : "epoch_us"}("${name}")`;
  // DuckDB's text of a moment with a zone is up to a millisecond wrong after the year 287396.
  const zoned = `WHEN isfinite("${name}") THEN make_timestamp(${count})::VARCHAR || '+00'`;
  return type.startsWith("TIMESTAMP")
    ? `CASE WHEN isfinite("${name}") AND ${count} < -9223372022400000000 THEN ${count}::VARCHAR
         ${type === "TIMESTAMPTZ" ? zoned : ""} ELSE "${name}"::VARCHAR END`
    : `"${name}"::VARCHAR`;
}

function csvOf({ columns, rows, style }: CsvFile): string {
  const lines = [columns, ...rows.map((row) => columns.map((name) => (isColumn(name) ? row[name] : "more")))];
  const text = lines.map((line) => line.map((value) => csvValue(value, style)).join(",")).join(style.lineEnd);
  return (style.hasByteOrderMark ? "\ufeff" : "") + text + (style.endsWithLineEnd ? style.lineEnd : "");
}

function csvValue(value: string, { quotes }: CsvStyle): string {
  const isPlain = quotes === "where needed" && !/[",\r\n]/.test(value);
  return isPlain ? value : `"${value.replaceAll('"', '""')}"`;
}

function gzipped(content: string, members: number): Buffer {
  const bytes = Buffer.from(content);
  const size = Math.ceil(bytes.length / members);
  const parts = Array.from({ length: members }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
  return Buffer.concat(parts.map((part) => gzipSync(part)));
}

function isColumn(name: string): name is Column {
  return (COLUMNS as readonly string[]).includes(name);
}

function perColumn<Value>(make: (column: Column) => Value): Record<Column, Value> {
  const [timestamp, country, lastOrder, firstOrder, orders, amount] = COLUMNS;
  return {
    [timestamp]: make(timestamp),
    [country]: make(country),
    [lastOrder]: make(lastOrder),
    [firstOrder]: make(firstOrder),
    [orders]: make(orders),
    [amount]: make(amount),
  };
}
