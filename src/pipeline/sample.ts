import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { withDuckDb } from "../engine/duckdb.js";
import { messageOf, PipelineError, systemCodeOf } from "../errors.js";
import { makeFolder } from "../make-folder.js";
import { createRenderer } from "../models/template.js";
import { isOnS3, type S3Access } from "../s3-access.js";
import type { Settings } from "../settings.js";
import { openZones } from "../zones/open.js";

/** A Parquet file of the sample has no more rows; a real feed comes in many files, too. */
const ROWS_PER_FILE = 1_000_000;
/** CSV is there to be read, not to fill disks. */
const MAX_CSV_ROWS = 2_000;

export interface SampleRequest {
  readonly rows: number;
  /** Where the files go; it is made where it is not there. */
  readonly folder: string;
}

export interface SampleFile {
  readonly path: string;
  readonly rows: number;
}

/** How many rows a sample has where nobody says: as many as the one that comes with the project. */
export const SAMPLE_ROWS = 20_000;
/** Where the raw model of vouchers finds its files, below the raw zone. */
const RAW_FOLDER = "vouchers";

/** What making a sample needs beside the request. */
export interface SampleContext {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Writes sample raw vouchers as Parquet files and one CSV file. The same request gives the same bytes.
 * @throws PipelineError INVALID_USAGE where the number of rows is none or the folder cannot be written.
 */
export async function makeSample(
  context: SampleContext,
  { rows, folder }: SampleRequest,
): Promise<SampleFile[]> {
  assertRows(rows);
  return writeParts(context, rows, { root: await outputFolder(folder), s3: undefined });
}

/**
 * Writes sample raw vouchers into the raw zone, unless it has files. Safe to repeat.
 * @returns what was written: nothing where the zone has files.
 */
export async function makeSampleInRawZone(context: SampleContext, rows: number): Promise<SampleFile[]> {
  assertRows(rows);
  const zones = await openZones(context.settings);
  try {
    const names = partsOf(rows).map(({ name }) => `${RAW_FOLDER}/${name}`);
    const present = (await zones.raw.list(RAW_FOLDER)).map(({ path: file }) => file);
    // A sample that was broken off is made whole: the last file is written last.
    const isWhole = present.includes(names.at(-1) ?? "");
    if (isWhole || present.some((file) => !names.includes(file))) return [];
    const folder = `${zones.raw.root}/${RAW_FOLDER}`;
    const root = isOnS3(folder) ? folder : await outputFolder(folder);
    return await writeParts(context, rows, { root, s3: zones.s3 });
  } finally {
    zones.close();
  }
}

function assertRows(rows: number): void {
  if (Number.isSafeInteger(rows) && rows >= 1) return;
  throw new PipelineError("INVALID_USAGE", "--rows must be a whole number above 0");
}

/** Where the files go: a folder of this machine or of S3. */
interface Target {
  readonly root: string;
  readonly s3: S3Access | undefined;
}

async function writeParts(
  { settings, signal, warn }: SampleContext,
  rows: number,
  { root, s3 }: Target,
): Promise<SampleFile[]> {
  const file = "sample/vouchers.sql";
  const template = await readFile(path.join(settings.sqlDirectory, file), "utf8");
  const renderer = createRenderer(new Set());
  const session = { settings: settings.duckdb, s3, reach: { directories: [root], files: [] }, signal, warn };
  return withDuckDb(session, async (engine) => {
    const written: SampleFile[] = [];
    for (const part of partsOf(rows)) {
      const { sql } = renderer.render(`sql/${file}`, template, {
        first_row: part.first,
        last_row: part.last,
      });
      const target = `${root}/${part.name}`;
      if (part.format === "parquet") await engine.writeParquet(sql, target);
      else await engine.writeCsv(sql, target);
      written.push({ path: target, rows: part.last - part.first + 1 });
    }
    return written;
  });
}

interface SamplePart {
  readonly name: string;
  readonly format: "csv" | "parquet";
  readonly first: number;
  readonly last: number;
}

/** A tenth of the rows as CSV, up to a limit; the others in at least two Parquet files of about the same size. */
function partsOf(rows: number): SamplePart[] {
  const csvRows = Math.min(MAX_CSV_ROWS, Math.floor(rows / 10));
  const parquetRows = rows - csvRows;
  const files = Math.min(parquetRows, Math.max(2, Math.ceil(parquetRows / ROWS_PER_FILE)));
  const rowsPerFile = Math.ceil(parquetRows / files);
  const parts: SamplePart[] = [];
  for (let first = 1; first <= parquetRows; first += rowsPerFile) {
    const name = `vouchers-${(parts.length + 1).toString().padStart(4, "0")}.parquet`;
    parts.push({ name, format: "parquet", first, last: Math.min(first + rowsPerFile - 1, parquetRows) });
  }
  if (csvRows > 0)
    parts.push({ name: "vouchers-late.csv", format: "csv", first: parquetRows + 1, last: rows });
  return parts;
}

async function outputFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder);
    return await realpath(folder);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    throw new PipelineError("INVALID_USAGE", `--out ${folder} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
