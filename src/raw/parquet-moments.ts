import { createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { textOf, type Row } from "../engine/builder.js";
import { type Engine } from "../engine/duckdb/duckdb-engine.js";
import { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import { identifier, listLiteral, literal, pathPattern } from "../sql-text/literal.js";
import type { Zone } from "../zones/zone.js";
import type { Findings, RawFault } from "./raw-faults.js";
import { nameOfNoColumn, type FileColumn, type InspectedFile } from "./raw-file.js";

/** The first day of Parquet's calendar. Some writers use another one before it. */
const FIRST_GREGORIAN_DAY = "1582-10-15";

/** A column whose values need a check. */
interface Suspect {
  readonly column: FileColumn;
  /** The lowest value that needs a copy, as SQL compares it. */
  readonly least: { readonly operator: "<" | "<="; readonly moment: string };
  readonly isLegacy: boolean;
}

/** A file with such columns. */
interface SuspectFile {
  readonly file: InspectedFile;
  readonly suspects: readonly Suspect[];
}

/** The suspect columns of a file with wrong values: those with `true` at their position. */
type Found = ReadonlyMap<SuspectFile, readonly boolean[]>;

/**
 * Finds the Parquet files with moments that DuckDB reads wrongly: milliseconds that it cannot convert, and
 * nanoseconds before 1970 with a time zone. Copies these files, so that DuckDB reads the numbers. Spark files with
 * dates of the Julian calendar are faulty. The check is only for columns of these types; most files have none.
 * @param needed the columns that the model reads.
 * @param folder of this machine for the copies; without it there is no check.
 * @throws PipelineError STORAGE_FULL if the folder has no space left.
 */
export async function withExactMoments(
  engine: Engine,
  zone: Zone,
  files: readonly InspectedFile[],
  needed: readonly string[],
  folder: string | undefined,
): Promise<Findings<InspectedFile>> {
  if (folder === undefined) return { results: files, faults: [] };
  const legacy = await legacyFiles(
    engine,
    files.filter((file) => momentsOf(file, needed).length > 0),
  );
  const suspectFiles = files
    .map((file) => ({ file, suspects: suspectsOf(file, needed, legacy.has(file.file.uri)) }))
    .filter(({ suspects }) => suspects.length > 0);
  const found = await lookAtMoments(engine, suspectFiles);
  const results: InspectedFile[] = [];
  const faults: RawFault[] = [];
  const bySuspects = new Map(suspectFiles.map((each) => [each.file, each]));
  for (const file of files) {
    const suspectFile = bySuspects.get(file);
    const hits = suspectFile?.suspects.filter((_, index) => found.get(suspectFile)?.[index]) ?? [];
    const julian = hits.filter(({ isLegacy }) => isLegacy).map(({ column }) => column.name);
    if (julian.length > 0) faults.push({ path: file.file.path, reason: julianReason(julian) });
    const columns = hits.filter(({ isLegacy }) => !isLegacy).map(({ column }) => column);
    results.push(columns.length === 0 ? file : await copyOf(zone, file, columns, folder));
  }
  return { results, faults };
}

function julianReason(columns: readonly string[]): string {
  return (
    `${columns.join(", ")} has timestamps before ${FIRST_GREGORIAN_DAY} in the Julian calendar, from Spark 2 or its legacy mode. ` +
    "Write the file with spark.sql.parquet.datetimeRebaseModeInWrite and int96RebaseModeInWrite = CORRECTED"
  );
}

function momentsOf({ format, columns }: InspectedFile, needed: readonly string[]): FileColumn[] {
  if (format !== "parquet") return [];
  return columns.filter(({ name, type }) => needed.includes(name) && /^(DATE|TIMESTAMP)/.test(type));
}

function suspectsOf(file: InspectedFile, needed: readonly string[], isLegacy: boolean): Suspect[] {
  return momentsOf(file, needed).flatMap((column) => [
    ...(isLegacy ? [{ column, least: LEGACY, isLegacy }] : []),
    // Statistics that prove a range save a scan of the column by one process.
    ...(column.unit === undefined ||
    column.unit === "int96" ||
    (column.unit === "milliseconds" && column.isOrdinary)
      ? []
      : [{ column, least: LEAST[column.unit], isLegacy: false }]),
  ]);
}

const LEGACY = { operator: "<", moment: FIRST_GREGORIAN_DAY } as const;

const LEAST = {
  // If they convert, they are right: the conversion alone is the check.
  milliseconds: { operator: "<", moment: "-infinity" },
  // DuckDB rounds those before 1970 towards it.
  nanoseconds: { operator: "<=", moment: "1970-01-01" },
} as const;

/**
 * The files that Spark marks with its calendar before version 3 (and for INT96 before 3.1): the Julian one before
 * 1582. Footers are cached, so this costs no request.
 */
export async function legacyFiles(
  engine: Engine,
  files: readonly InspectedFile[],
): Promise<ReadonlySet<string>> {
  if (files.length === 0) return new Set();
  const rows = await engine.rows(
    "SELECT file_name, CAST(key AS VARCHAR) AS key, CAST(value AS VARCHAR) AS value " +
      `FROM parquet_kv_metadata(${listLiteral(files.map(({ file }) => pathPattern(file.uri)))}) ` +
      "WHERE CAST(key AS VARCHAR) LIKE 'org.apache.spark.%'",
  );
  const byFile = new Map<string, Map<string, string>>();
  for (const row of rows) {
    const keys = byFile.get(textOf(row, "file_name")) ?? new Map<string, string>();
    byFile.set(textOf(row, "file_name"), keys.set(textOf(row, "key"), textOf(row, "value")));
  }
  return new Set([...byFile].filter(([, keys]) => isLegacy(keys)).map(([uri]) => uri));
}

function isLegacy(keys: ReadonlyMap<string, string>): boolean {
  if (keys.has("org.apache.spark.legacyDateTime") || keys.has("org.apache.spark.legacyINT96")) return true;
  const version = keys.get("org.apache.spark.version");
  // Early versions of Spark 2 did not write their version.
  return version === undefined
    ? keys.has("org.apache.spark.sql.parquet.row.metadata")
    : /^([12]\.|3\.0\.)/.test(version);
}

/** Checks files in as few statements as their columns allow. */
async function lookAtMoments(engine: Engine, files: readonly SuspectFile[]): Promise<Found> {
  const alike = new Map<string, SuspectFile[]>();
  for (const each of files) {
    const signature = JSON.stringify(each.suspects.map(questionOf));
    alike.set(signature, [...(alike.get(signature) ?? []), each]);
  }
  const found = new Map<SuspectFile, readonly boolean[]>();
  for (const group of alike.values())
    for (const [file, hits] of await lookAtAlike(engine, group)) found.set(file, hits);
  return found;
}

async function lookAtAlike(engine: Engine, files: readonly SuspectFile[]): Promise<Found> {
  const [first] = files;
  if (first === undefined) return new Map();
  try {
    const fileColumn = nameOfNoColumn(files.map(({ file }) => file));
    const rows = await engine.rows(momentsStatement(files, first.suspects, fileColumn));
    const byFile = new Map(rows.map((row) => [textOf(row, fileColumn), row]));
    return new Map(files.map((each) => [each, hitsIn(byFile.get(each.file.file.uri), each.suspects)]));
  } catch (error) {
    if (!(error instanceof DuckDbError) || error.isFatal) throw error;
    if (files.length > 1) {
      const half = Math.ceil(files.length / 2);
      return new Map([
        ...(await lookAtAlike(engine, files.slice(0, half))),
        ...(await lookAtAlike(engine, files.slice(half))),
      ]);
    }
    if (first.suspects.length > 1) {
      const hits: boolean[] = [];
      for (const suspect of first.suspects) {
        const alone = { ...first, suspects: [suspect] };
        hits.push((await lookAtAlike(engine, [alone])).get(alone)?.[0] === true);
      }
      return new Map([[first, hits]]);
    }
    // The run reports any other fault of the file.
    return new Map([[first, [error.errorClass === "Conversion"]]]);
  }
}

function hitsIn(row: Row | undefined, suspects: readonly Suspect[]): boolean[] {
  return suspects.map((_, index) => row?.[`hit_${index}`] === true);
}

/** The lowest value is enough, and to find it DuckDB converts all values. */
function momentsStatement(
  files: readonly SuspectFile[],
  suspects: readonly Suspect[],
  fileColumn: string,
): string {
  const hits = suspects.map((suspect, index) => `${questionOf(suspect)} AS hit_${index}`).join(", ");
  const uris = listLiteral(files.map(({ file }) => pathPattern(file.file.uri)));
  return (
    `SELECT ${identifier(fileColumn)}, ${hits} FROM read_parquet(${uris}, filename = ${literal(fileColumn)}, ` +
    `hive_partitioning = false) GROUP BY ${identifier(fileColumn)}`
  );
}

function questionOf({ column, least }: Suspect): string {
  const { duckDbName, type } = column;
  return `min(${identifier(duckDbName)}) ${least.operator} CAST(${literal(least.moment)} AS ${type})`;
}

/** Copies a file whose columns DuckDB reads with other types. The pages stay the same. */
async function copyOf(
  zone: Zone,
  inspected: InspectedFile,
  columns: readonly FileColumn[],
  folder: string,
): Promise<InspectedFile> {
  const { file } = inspected;
  const root = path.join(folder, "raw");
  const uri = path.join(root, file.path);
  try {
    await mkdir(path.dirname(uri), { recursive: true });
    await pipeline(zone.read(file), createWriteStream(uri));
    await changeFooter(uri, new Map(columns.map((column) => [column.schemaIndex ?? 0, takingOf(column)])));
  } catch (error) {
    if (!["ENOSPC", "EDQUOT"].includes(systemCodeOf(error) ?? "")) throw error;
    throw new PipelineError(
      "STORAGE_FULL",
      `${folder} has no space for a copy of ${file.path}: ${messageOf(error)}; free some space and run again`,
      { cause: error },
    );
  }
  return {
    ...inspected,
    copy: { root, uri },
    columns: inspected.columns.map((column) => (columns.includes(column) ? inCopy(column) : column)),
  };
}

async function changeFooter(file: string, columns: ReadonlyMap<number, Taking>): Promise<void> {
  const handle = await open(file, "r+");
  try {
    const { size } = await handle.stat();
    const end = Buffer.alloc(FOOTER_END);
    await handle.read(end, 0, FOOTER_END, size - FOOTER_END);
    const metadata = Buffer.alloc(end.readUInt32LE(0));
    const begin = size - FOOTER_END - metadata.length;
    await handle.read(metadata, 0, metadata.length, begin);
    takeMomentsFor(metadata, columns);
    await handle.write(metadata, 0, metadata.length, begin);
  } finally {
    await handle.close();
  }
}

function takingOf({ unit }: FileColumn): Taking {
  return unit === "milliseconds" ? "numbers" : "moments without a time zone";
}

function inCopy(column: FileColumn): FileColumn {
  return { ...column, typeInCopy: column.unit === "milliseconds" ? "BIGINT" : "TIMESTAMP_NS" };
}

/**
 * Changes of single bytes in the footer of a Parquet file, so that a reader sees the stored numbers of moments. The
 * footer keeps its length, and the pages stay the same.
 */

/** The new type of a column of moments: whole numbers, or moments without a time zone. */
type Taking = "numbers" | "moments without a time zone";

/** The end of a footer after its metadata: the length in bytes, and `PAR1`. */
const FOOTER_END = 8;

/** The field numbers of the format's definition, parquet.thrift. */
const SCHEMA = 2;
const CONVERTED_TYPE = 6;
const LOGICAL_TYPE = 10;
const TIMESTAMP = 8;
const IS_ADJUSTED_TO_UTC = 1;
/** An unused number in the union of logical types: readers ignore a field with it. */
const NO_LOGICAL_TYPE = 9;
/** The converted type of a 64-bit whole number, in its stored form. */
const INT_64 = 18 << 1;

/** The types of the compact protocol of Thrift. */
const STOP = 0;
const TRUE = 1;
const FALSE = 2;
const BYTE = 3;
const DOUBLE = 7;
const BINARY = 8;
const LIST = 9;
const SET = 10;
const MAP = 11;
const STRUCT = 12;

/** A field of a struct: its number, its type, and the positions of its head and its value. */
interface Field {
  readonly id: number;
  readonly type: number;
  readonly head: number;
  readonly value: number;
}

/**
 * Changes the declared storage of moment columns.
 * @param metadata of the file, changed in place.
 * @param columns the new type of each column, by its position in the schema.
 * @throws RangeError if the metadata is invalid.
 */
function takeMomentsFor(metadata: Buffer, columns: ReadonlyMap<number, Taking>): void {
  const reader = new CompactReader(metadata);
  reader.eachField(0, (field) => {
    if (field.id !== SCHEMA) return;
    reader.eachItem(field, (index, at) => {
      const taking = columns.get(index);
      if (taking === undefined) return;
      reader.eachField(at, (element) => {
        if (element.id === CONVERTED_TYPE && taking === "numbers") metadata[element.value] = INT_64;
        if (element.id === LOGICAL_TYPE) changeLogicalType(reader, element, taking);
      });
    });
  });
}

function changeLogicalType(reader: CompactReader, { value }: Field, taking: Taking): void {
  const { bytes } = reader;
  reader.eachField(value, (logical) => {
    if (logical.id !== TIMESTAMP) throw new RangeError("a column of moments has another logical type");
    if (taking === "numbers") bytes[logical.head] = (NO_LOGICAL_TYPE << 4) | STRUCT;
    else
      reader.eachField(logical.value, (part) => {
        if (part.id === IS_ADJUSTED_TO_UTC) bytes[part.head] = (IS_ADJUSTED_TO_UTC << 4) | FALSE;
      });
  });
}

/** Reads the compact protocol. */
class CompactReader {
  constructor(readonly bytes: Buffer) {}

  /** @returns the end of the struct. */
  eachField(begin: number, visit: (field: Field) => void): number {
    let id = 0;
    for (let at = begin; ;) {
      const head = at;
      const byte = this.#byte(at++);
      const type = byte & 0x0f;
      if (type === STOP) return at;
      if (byte >> 4 === 0) {
        const [number, end] = this.#varint(at);
        id = (number >> 1) ^ -(number & 1);
        at = end;
      } else id += byte >> 4;
      const next = this.#skip(type, at, true);
      visit({ id, type, head, value: at });
      at = next;
    }
  }

  eachItem({ type, value }: Field, visit: (index: number, at: number) => void): void {
    if (type !== LIST) throw new RangeError("the schema is no list");
    const [size, itemType, begin] = this.#listHead(value);
    let at = begin;
    for (let index = 0; index < size; index++) {
      visit(index, at);
      at = this.#skip(itemType, at, false);
    }
  }

  #byte(at: number): number {
    const byte = this.bytes[at];
    if (byte === undefined) throw new RangeError("the footer ends too early");
    return byte;
  }

  /** The lowest 32 bits of a number, and its end. */
  #varint(begin: number): [number: number, end: number] {
    let number = 0;
    for (let at = begin, shift = 0; ; at++, shift += 7) {
      const byte = this.#byte(at);
      if (shift < 32) number |= (byte & 0x7f) << shift;
      if (byte < 0x80) return [number, at + 1];
    }
  }

  #listHead(at: number): [size: number, type: number, begin: number] {
    const byte = this.#byte(at);
    if (byte >> 4 !== 15) return [byte >> 4, byte & 0x0f, at + 1];
    const [size, begin] = this.#varint(at + 1);
    return [size, byte & 0x0f, begin];
  }

  /** The end of a value. The value of a boolean field is in its head. */
  #skip(type: number, at: number, isField: boolean): number {
    switch (type) {
      case TRUE:
      case FALSE:
        return isField ? at : at + 1;
      case BYTE:
        return at + 1;
      case DOUBLE:
        return at + 8;
      case BINARY: {
        const [length, begin] = this.#varint(at);
        return begin + length;
      }
      case LIST:
      case SET: {
        const [size, itemType, begin] = this.#listHead(at);
        let end = begin;
        for (let index = 0; index < size; index++) end = this.#skip(itemType, end, false);
        return end;
      }
      case MAP:
        throw new RangeError("the footer has a map");
      case STRUCT:
        return this.eachField(at, () => undefined);
      default:
        return this.#varint(at)[1];
    }
  }
}
