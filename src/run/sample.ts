import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { makeFolder } from "../base/files.js";
import { isOnS3, type S3Access } from "../base/s3-access.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import { createRenderer } from "../models/template.js";
import type { Settings } from "../settings/settings.js";
import { openZones } from "../zones/open-zones.js";

/** The default maximum of rows in a Parquet file of the sample; a real feed has many files, too. */
const ROWS_PER_FILE = 1_000_000;
/** CSV files are only examples, so they stay small. */
const MAX_CSV_ROWS = 2_000;

/** The size of a sample. */
export interface SampleSize {
  readonly rows: number;
  /** The number of Parquet files; undefined for one per million rows, and at least two. */
  readonly files: number | undefined;
  /** The number of countries. The first four have names, and the others have numbers. */
  readonly countries: number;
}

export interface SampleFile {
  readonly path: string;
  readonly rows: number;
}

/** The default size: the same as the sample in the project. */
export const SAMPLE_SIZE: SampleSize = { rows: 20_000, files: undefined, countries: 4 };
/** The folder of the raw vouchers, below the raw zone. */
const RAW_FOLDER = "vouchers";

/** The inputs for a sample, apart from the request. */
export interface SampleContext {
  readonly settings: Settings;
  readonly signal: AbortSignal;
  readonly warn: (message: string) => void;
}

/**
 * Writes sample raw vouchers as Parquet files and one CSV file. The same size gives the same bytes.
 * @param folder for the files; it is created if it does not exist.
 * @throws PipelineError INVALID_USAGE if the size is invalid or the folder is not writable.
 */
export async function makeSample(
  context: SampleContext,
  size: SampleSize,
  folder: string,
): Promise<SampleFile[]> {
  assertSize(size);
  return writeParts(context, size, { root: await outputFolder(folder), s3: undefined });
}

/**
 * Writes sample raw vouchers into the raw zone, unless it has files. Safe to repeat.
 * @returns the written files: none if the zone has files.
 */
export async function makeSampleInRawZone(context: SampleContext, size: SampleSize): Promise<SampleFile[]> {
  assertSize(size);
  const zones = await openZones(context.settings, context.signal);
  try {
    const names = partsOf(size).map(({ name }) => `${RAW_FOLDER}/${name}`);
    const present = (await zones.raw.list(RAW_FOLDER)).map(({ path: file }) => file);
    // The last file is written last. If it is missing, the sample is incomplete, and is written again.
    const isWhole = present.includes(names.at(-1) ?? "");
    if (isWhole || present.some((file) => !names.includes(file))) return [];
    const folder = `${zones.raw.root}/${RAW_FOLDER}`;
    const root = isOnS3(folder) ? folder : await outputFolder(folder);
    return await writeParts(context, size, { root, s3: zones.s3 });
  } finally {
    zones.close();
  }
}

function assertSize(size: SampleSize): void {
  assertWholeNumber("--rows", size.rows, 1);
  const { parquetRows } = sharesOf(size.rows);
  if (size.files !== undefined) assertWholeNumber("--files", size.files, 1, parquetRows);
  assertWholeNumber("--countries", size.countries, SAMPLE_SIZE.countries);
}

function assertWholeNumber(
  option: string,
  value: number,
  least: number,
  most = Number.MAX_SAFE_INTEGER,
): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  const limit = most === Number.MAX_SAFE_INTEGER ? `not below ${least}` : `from ${least} to ${most}`;
  throw new PipelineError("INVALID_USAGE", `${option} must be a whole number ${limit}`);
}

/** The destination of the files: a folder of this machine or of S3. */
interface Target {
  readonly root: string;
  readonly s3: S3Access | undefined;
}

async function writeParts(
  { settings, signal, warn }: SampleContext,
  size: SampleSize,
  { root, s3 }: Target,
): Promise<SampleFile[]> {
  const file = "sample/vouchers.sql";
  const template = await readFile(path.join(settings.sqlDirectory, file), "utf8");
  const renderer = createRenderer(new Set());
  const session = { settings: settings.duckdb, s3, reach: { directories: [root], files: [] }, signal, warn };
  return withDuckDb(session, async (engine) => {
    const written: SampleFile[] = [];
    for (const part of partsOf(size)) {
      const { sql } = renderer.render(`sql/${file}`, template, {
        first_row: part.first,
        last_row: part.last,
        countries: size.countries,
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

function partsOf({ rows, files: wanted }: SampleSize): SamplePart[] {
  const { parquetRows, csvRows } = sharesOf(rows);
  const files = wanted ?? Math.min(parquetRows, Math.max(2, Math.ceil(parquetRows / ROWS_PER_FILE)));
  const lastRowOf = (file: number) => Math.ceil((parquetRows * file) / files);
  const parts = Array.from({ length: files }, (_, index): SamplePart => {
    const name = `vouchers-${(index + 1).toString().padStart(4, "0")}.parquet`;
    return { name, format: "parquet", first: lastRowOf(index) + 1, last: lastRowOf(index + 1) };
  });
  if (csvRows > 0)
    parts.push({ name: "vouchers-late.csv", format: "csv", first: parquetRows + 1, last: rows });
  return parts;
}

/** A tenth of the rows as CSV, up to a limit; the others as Parquet. */
function sharesOf(rows: number) {
  const csvRows = Math.min(MAX_CSV_ROWS, Math.floor(rows / 10));
  return { parquetRows: rows - csvRows, csvRows };
}

async function outputFolder(folder: string): Promise<string> {
  try {
    await makeFolder(folder);
    return await realpath(folder);
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error;
    throw new PipelineError("INVALID_USAGE", `cannot write --out ${folder}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
