import type { RawColumn } from "../models/dialect.js";
import type { ZoneFile } from "../zones/zone.js";

/** A column of a raw file: its name there, its name for DuckDB, its type. */
export interface FileColumn extends Pick<RawColumn, "parts" | "unit"> {
  readonly name: string;
  readonly duckDbName: string;
  readonly type: string;
  /** Its type where it is read from a copy of the file. */
  readonly typeInCopy?: string;
  /** Its place in the schema of a Parquet file. */
  readonly schemaIndex?: number;
  /** Whether it, or a column within it, holds milliseconds. */
  readonly hasMilliseconds?: true;
  /** Why what it holds cannot be read, and what to do. */
  readonly problem?: string;
}

/** A raw file whose columns are known. */
export interface InspectedFile {
  readonly file: ZoneFile;
  readonly format: "csv" | "parquet";
  readonly columns: readonly FileColumn[];
  /** What the pages of a Parquet file are compressed with, if that was asked. */
  readonly codecs?: readonly string[];
  /** How many rows of a CSV file the check of its bytes has counted. */
  readonly rows?: number;
  /** Whether one thread must read a CSV file from its beginning to its end. */
  readonly isReadInOrder?: true;
  /** What is read in its place, and the folder that stands for the raw zone there. */
  readonly copy?: { readonly root: string; readonly uri: string };
}

/** Raw files of one format that have the same columns of the same types, in any order. */
export interface RawShape {
  readonly format: InspectedFile["format"];
  /** In the order of the first of the files. A column that has columns itself is of the type `nested`. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** How many files there are. */
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

/** The columns of a raw file, as people are told of them. */
export function columnsOf({ columns }: InspectedFile): RawShape["columns"] {
  return columns.map(({ name, type }) => ({ name, type: type === "" ? "nested" : type }));
}

/** A name for the column that tells the file: none of the files has a column of that name. */
export function nameOfNoColumn(files: readonly InspectedFile[]): string {
  const taken = new Set(files.flatMap(({ columns }) => columns.map(({ name }) => name.toLowerCase())));
  let name = "source_file";
  while (taken.has(name)) name += "_";
  return name;
}
