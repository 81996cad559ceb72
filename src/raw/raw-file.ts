import type { RawColumn } from "../models/dialect.js";
import type { ZoneFile } from "../zones/zone.js";

/** A column of a raw file: its name there, its name for DuckDB, its type. */
export interface FileColumn extends Pick<RawColumn, "isOrdinary" | "parts" | "unit"> {
  readonly name: string;
  readonly duckDbName: string;
  readonly type: string;
  /** Its type in a copy of the file, if a run reads that. */
  readonly typeInCopy?: string;
  /** Its position in the schema of a Parquet file. */
  readonly schemaIndex?: number;
  /** Whether it, or a column within it, holds milliseconds. */
  readonly hasMilliseconds?: true;
  /** The reason why its values are not readable, and the remedy. */
  readonly problem?: string;
}

/** A raw file whose columns are known. */
export interface InspectedFile {
  readonly file: ZoneFile;
  readonly format: "csv" | "parquet";
  readonly columns: readonly FileColumn[];
  /** The compression of the pages of a Parquet file, if it was queried. */
  readonly codecs?: readonly string[];
  /** A type in a Parquet file that only DuckDB can read. */
  readonly rareType?: string;
  /** Whether the moments of a Parquet file are marked as those of Spark 2, if it was queried. */
  readonly isLegacy?: true;
  /** The number of rows of a CSV file, from the check of its bytes. */
  readonly rows?: number;
  /** Whether one thread must read a CSV file from its beginning to its end. */
  readonly isReadInOrder?: true;
  /** A copy that is read instead, and the folder that replaces the raw zone there. */
  readonly copy?: { readonly root: string; readonly uri: string };
}

/** Raw files of one format that have the same columns of the same types, in any order. */
export interface RawShape {
  readonly format: InspectedFile["format"];
  /** In the order of the first file. A column with inner columns has the type `nested`. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** The number of files. */
  readonly files: number;
  /** The path of the first of them, below the raw zone. */
  readonly first: string;
}

/** The different shapes of raw files, in the order of their first files. */
export function shapesOf(files: readonly InspectedFile[]): RawShape[] {
  const shapes = new Map<string, RawShape>();
  for (const inspected of files) {
    const { file, format } = inspected;
    const columns = columnsOf(inspected);
    const signature = JSON.stringify([
      format,
      columns.map(({ name, type }) => JSON.stringify([name, type])).sort(),
    ]);
    const known = shapes.get(signature);
    shapes.set(
      signature,
      known === undefined
        ? { format, columns, files: 1, first: file.path }
        : { ...known, files: known.files + 1 },
    );
  }
  return [...shapes.values()];
}

/** The columns of a raw file, for messages. */
export function columnsOf({ columns }: InspectedFile): RawShape["columns"] {
  return columns.map(({ name, type }) => ({ name, type: type === "" ? "nested" : type }));
}

/** A name for the column with the file name, which no file has as a column. */
export function nameOfNoColumn(files: readonly InspectedFile[]): string {
  const taken = new Set(files.flatMap(({ columns }) => columns.map(({ name }) => name.toLowerCase())));
  let name = "source_file";
  while (taken.has(name)) name += "_";
  return name;
}
