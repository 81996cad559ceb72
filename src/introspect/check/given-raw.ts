import { mkdir } from "node:fs/promises";
import type { RawPart } from "../../models/dialect.js";
import type { RawModel } from "../../models/model.js";
import type { TestRow } from "../../models/test-file.js";
import { pathPattern } from "../../sql-text/literal.js";
import { textRows } from "./text-rows.js";

/** Makes the folder of a raw model's files below a folder that stands for the raw zone. */
export async function makeRawFolder({ header }: RawModel, rawZone: string): Promise<string> {
  const folder = `${rawZone}/${header.folder}`;
  await mkdir(folder, { recursive: true });
  return folder;
}

/** A Parquet file that has each column as text, as a template reads it. */
export function rawPart({ header }: RawModel, rawZone: string, file: string): RawPart {
  const names = Object.keys(header.reads);
  return {
    format: "parquet",
    root: rawZone,
    files: [pathPattern(file)],
    bytes: 0,
    fileColumn: "__raw_file",
    columns: Object.fromEntries(names.map((name) => [name, { name, type: "VARCHAR" }])),
    compression: "none",
    header: names,
  };
}

/** A SELECT that gives the rows of a raw file, each value as text. */
export function rawRows({ header }: RawModel, rows: readonly TestRow[]): string {
  return textRows(
    Object.keys(header.reads).map((name) => ({ name, type: "VARCHAR" })),
    rows,
  );
}
