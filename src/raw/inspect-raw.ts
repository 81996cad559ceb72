import { sideBySide } from "../base/concurrency.js";
import { PipelineError } from "../base/errors.js";
import { isPlainToSpark } from "../base/spark-paths.js";
import { counting } from "../base/words.js";
import type { Engine } from "../engine/duckdb/duckdb-engine.js";
import { DuckDbError } from "../engine/duckdb/duckdb-errors.js";
import type { RawColumn, RawPart } from "../models/dialect.js";
import type { RawModel } from "../models/model.js";
import { hasPathPattern, listLiteral, pathPattern } from "../sql-text/literal.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import { ignoredFilesOf, ignoredLines, READABLE_NAMES } from "./file-notices.js";
import { whatFileIs } from "./foreign-files.js";
import { inspectParquetFiles, withFooters } from "./parquet-columns.js";
import { withExactMoments } from "./parquet-moments.js";
import { columnFaults, faultOfFile, unreadableFiles, type Findings, type RawFault } from "./raw-faults.js";
import { nameOfNoColumn, type FileColumn, type InspectedFile } from "./raw-file.js";

/** The columns that a model reads, with their kinds. */
type Reads = RawModel["header"]["reads"];

/** The files in the folder of a raw model, sorted by path. */
export interface RawListing {
  /** The files that a run reads. */
  readonly files: readonly ZoneFile[];
  /** The files that no run reads because of their names. */
  readonly ignored: readonly ZoneFile[];
}

/**
 * The raw files of a model.
 * @throws PipelineError RAW_ZONE_EMPTY if there are none, RAW_FILE_UNREADABLE if one is not a readable file.
 */
export async function listRawFiles(zone: Zone, model: RawModel): Promise<RawListing> {
  const { results, faults, ignored } = await lookForRawFiles(zone, model);
  if (faults.length > 0) throw unreadableFiles(faults);
  return { files: results, ignored };
}

/** Separates the files in a folder that a run reads from those that it ignores. */
export function sortedByName(listed: readonly ZoneFile[]): RawListing {
  const isRead = ({ path }: ZoneFile) => rawFormatOf(path) !== undefined;
  return { files: listed.filter(isRead), ignored: listed.filter((file) => !isRead(file)) };
}

/**
 * All raw files of a model, sorted by path, including those with an unreadable kind or name.
 * @throws PipelineError RAW_ZONE_EMPTY if there are none.
 */
export async function lookForRawFiles(
  zone: Zone,
  model: RawModel,
): Promise<Findings<ZoneFile> & Pick<RawListing, "ignored">> {
  const { folder } = model.header;
  const { files, ignored } = sortedByName(await zone.list(folder));
  if (files.length === 0) throw zoneEmpty(`${zone.root}/${folder}`, ignored);
  const faults = files.flatMap(({ path, uri, problem }) => {
    const reason =
      problem ?? (hasPathPattern(uri) ? undefined : "its path has a backslash together with * ? or [");
    return reason === undefined ? [] : [{ path, reason }];
  });
  return { results: files, faults, ignored };
}

function zoneEmpty(folder: string, ignored: readonly ZoneFile[]): PipelineError {
  const lines = ignoredLines(ignoredFilesOf(ignored)).map((line) => `\n  ${line}`);
  const other =
    lines.length === 0
      ? ""
      : `. It has other files, which are ignored: ${counting(ignored.length, "file")}${lines.join("")}`;
  return new PipelineError(
    "RAW_ZONE_EMPTY",
    `no raw files in ${folder}; put ${READABLE_NAMES} files there, ` +
      `or set RAW_ZONE to their folder${other}`,
  );
}

/**
 * Inspects the columns of every raw file.
 * @param withNewEngine as for `lookAtColumns`.
 * @param folder of this machine for copies of files that DuckDB would not read exactly; undefined for no copies.
 * @returns the files sorted by path.
 * @throws PipelineError RAW_FILE_UNREADABLE that names every file that is unreadable or lacks a column.
 */
export async function inspectRawFiles(
  engine: Engine,
  withNewEngine: WithNewEngine,
  zone: Zone,
  model: RawModel,
  files: readonly ZoneFile[],
  folder: string | undefined,
): Promise<readonly InspectedFile[]> {
  const { results, faults } = await lookAtColumns(engine, withNewEngine, zone, model, files, folder);
  if (faults.length > 0) throw unreadableFiles(faults);
  return results;
}

/**
 * Inspects raw files for a cluster, which reads most of them: a column with good statistics is not scanned here.
 * @throws PipelineError RAW_FILE_UNREADABLE as `inspectRawFiles`.
 */
export async function inspectForCluster(
  ...[engine, withNewEngine, zone, model, files, folder]: Parameters<typeof inspectRawFiles>
): Promise<readonly InspectedFile[]> {
  const needed = Object.keys(model.header.reads);
  const inspected = await inspectRawFiles(engine, withNewEngine, zone, model, files, undefined);
  const withProofs = await withFooters(engine, inspected, needed);
  const { results, faults } = await withExactMoments(engine, zone, withProofs, needed, folder);
  if (faults.length > 0) throw unreadableFiles(faults);
  return results;
}

/**
 * Inspects the columns of every raw file. A file that lacks a column is in the results and also in the faults. The
 * files are sorted by path.
 * @param withNewEngine opens another engine if a file breaks the current one.
 * @param folder as for `inspectRawFiles`.
 */
export async function lookAtColumns(
  engine: Engine,
  withNewEngine: WithNewEngine,
  zone: Zone,
  model: RawModel,
  files: readonly ZoneFile[],
  folder: string | undefined,
): Promise<Findings<InspectedFile>> {
  try {
    return await lookTogether(engine, zone, model, files, folder);
  } catch (error) {
    if (!(error instanceof DuckDbError && error.isFatal)) throw error;
    const found = await lookOneByOne(withNewEngine, zone, model, files, folder);
    if (found.faults.length === 0) throw error;
    return found;
  }
}

/** Inspects files with new engines, to find those that break one. */
async function lookOneByOne(
  withNewEngine: WithNewEngine,
  zone: Zone,
  model: RawModel,
  files: readonly ZoneFile[],
  folder: string | undefined,
): Promise<Findings<InspectedFile>> {
  const results: InspectedFile[] = [];
  const faults: RawFault[] = [];
  const waiting = [...files];
  while (waiting.length > 0) {
    await withNewEngine(async (engine) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        try {
          const found = await lookTogether(engine, zone, model, [next], folder);
          results.push(...found.results);
          faults.push(...found.faults);
        } catch (error) {
          if (!(error instanceof DuckDbError)) throw error;
          faults.push(faultOfFile(next.path, error));
          return;
        }
      }
    });
  }
  return { results, faults };
}

async function lookTogether(
  engine: Engine,
  zone: Zone,
  model: RawModel,
  files: readonly ZoneFile[],
  folder: string | undefined,
): Promise<Findings<InspectedFile>> {
  const needed = Object.keys(model.header.reads);
  const parquet = await inspectParquetFiles(
    engine,
    files.filter(({ path }) => isParquet(path)),
    needed,
  );
  const csv = await inspectCsvFiles(
    zone,
    files.filter(({ path }) => isCsv(path)),
  );
  const results = [...parquet.results, ...csv.results].sort((a, b) => (a.file.path < b.file.path ? -1 : 1));
  const columns = results.flatMap((file) => columnFaults(file, needed));
  // If the header line is faulty, the results of the rows may be wrong, too.
  const faulty = new Set(columns.map(({ path }) => path));
  const others = [...parquet.faults, ...csv.faults].filter(({ path }) => !faulty.has(path));
  await assertServed(zone, [...columns, ...others]);
  const faults = await explained(zone, files, [...columns, ...others], needed);
  // Faulty files are not read.
  const unreadable = new Set(faults.map(({ path }) => path));
  const good = results.filter(({ file }) => !unreadable.has(file.path));
  const exact = await withExactMoments(engine, zone, good, needed, folder);
  const byPath = new Map(exact.results.map((result) => [result.file.path, result]));
  return {
    results: results.map((result) => byPath.get(result.file.path) ?? result),
    faults: [...faults, ...exact.faults],
  };
}

/** The number of faulty files to check with the server: a faulty server spoils all files. */
const ASKED_FOR = 3;

/** Checks that files are not faulty because the server sends wrong responses. */
async function assertServed(zone: Zone, faults: readonly RawFault[]): Promise<void> {
  await sideBySide(faults.slice(0, ASKED_FOR), async (file) => zone.assertConsistent?.(file));
}

/** Adds the real kind of a faulty file, if its name is wrong. */
async function explained(
  zone: Zone,
  files: readonly ZoneFile[],
  faults: readonly RawFault[],
  needed: readonly string[],
): Promise<RawFault[]> {
  const faulty = new Set(faults.map(({ path }) => path));
  const found = await sideBySide(
    files.filter(({ path }) => faulty.has(path)),
    async (file) => ({ path: file.path, reason: await whatFileIs(zone, file, needed) }),
  );
  const foreign = found.flatMap(({ path, reason }) => (reason === undefined ? [] : [{ path, reason }]));
  const explainedPaths = new Set(foreign.map(({ path }) => path));
  return [...foreign, ...faults.filter(({ path }) => !explainedPaths.has(path))];
}

/** Opens an engine, uses it, and closes it. */
export type WithNewEngine = (use: (engine: Engine) => Promise<void>) => Promise<void>;

/**
 * Reads raw files one by one, to name the unreadable ones: an error of a scan of many may name none.
 * @param withNewEngine is used again after a file that broke an engine.
 * @param selectOf the SELECT that reads a part.
 * @throws PipelineError RAW_FILE_UNREADABLE that names every faulty file; returns if there are none.
 */
export async function probeRawFiles(
  withNewEngine: WithNewEngine,
  zone: Zone,
  files: readonly ZoneFile[],
  parts: readonly RawPart[],
  selectOf: (part: RawPart) => string,
): Promise<void> {
  const waiting = parts.flatMap((part) =>
    files
      .map(({ path }) => ({ path, pattern: pathPattern(`${part.root}/${path}`) }))
      .filter(({ pattern }) => part.files.includes(pattern))
      .map(({ path, pattern }) => ({ path, selects: selectsOf(part, pattern, selectOf) })),
  );
  const faults: RawFault[] = [];
  while (waiting.length > 0) {
    await withNewEngine(async (engine) => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const fault = await firstFault(engine, next.selects);
        if (fault !== undefined) faults.push(faultOfFile(next.path, fault));
        if (fault?.isFatal) return;
      }
    });
  }
  if (faults.length === 0) return;
  await assertServed(zone, faults);
  throw unreadableFiles(faults);
}

/** The parts of a file that a run reads: its rows, and its footer. */
function selectsOf(part: RawPart, file: string, selectOf: (part: RawPart) => string): string[] {
  const ofFile = { ...part, files: [file] };
  return [selectOf(ofFile), ...footerSelects(ofFile)];
}

/** The SELECT that fails if the footer of a Parquet file tells two different numbers of rows. CSV files have none. */
export function footerSelects({ files, format }: RawPart): string[] {
  if (format !== "parquet") return [];
  const message = "'damaged: its footer tells ' || told || ' rows, and its row groups have ' || present";
  // DuckDB counts by the row groups. Its parquet_metadata fails for some minima and maxima that no row needs.
  return [
    `SELECT CASE WHEN told <> present THEN error(${message}) END
    FROM
      (SELECT sum(num_rows) AS told FROM parquet_file_metadata(${listLiteral(files)})),
      (SELECT count(*) AS present FROM read_parquet(${listLiteral(files)}))`,
  ];
}

/** The reason why one of several SELECTs over raw files does not read to its end; undefined if all do. */
export async function firstFault(
  engine: Engine,
  selects: readonly string[],
): Promise<DuckDbError | undefined> {
  for (const select of selects) {
    const fault = await faultOfReading(engine, select);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

/** The reason why a SELECT over raw files does not read to its end; undefined if it does. */
export async function faultOfReading(engine: Engine, select: string): Promise<DuckDbError | undefined> {
  try {
    await engine.rows(`SELECT max(COLUMNS(*)) FROM (${select}\n)`);
    return undefined;
  } catch (error) {
    if (error instanceof DuckDbError) return error;
    throw error;
  }
}

/** The format of a raw file by its name; undefined if its name has none. */
export function rawFormatOf(path: string): RawPart["format"] | undefined {
  if (isParquet(path)) return "parquet";
  return isCsv(path) ? "csv" : undefined;
}

function isParquet(path: string): boolean {
  return /\.parquet(\.gzip)?$/.test(path);
}

function isCsv(path: string): boolean {
  return /\.csv(\.gz)?$/.test(path);
}

async function inspectCsvFiles(zone: Zone, files: readonly ZoneFile[]): Promise<Findings<InspectedFile>> {
  if (files.length === 0) return { results: [], faults: [] };
  // Loaded here, because most runs read only Parquet.
  const { inspectCsvFile } = await import("./inspect-csv.js");
  const found = await sideBySide(files, (file) => inspectCsvFile(zone, file));
  return { results: found.flatMap(({ results }) => results), faults: found.flatMap(({ faults }) => faults) };
}

/**
 * Groups faultless files that one SELECT can read.
 * @param root of the raw zone.
 */
export function groupFiles(inspected: readonly InspectedFile[], reads: Reads, root: string): RawPart[] {
  const parts = new Map<string, RawPart & { files: string[]; bytes: number; rowCount?: number }>();
  const fileColumn = nameOfNoColumn(inspected);
  for (const each of inspected) {
    const { file, format, columns, codecs, rareType, isLegacy, rows, isReadInOrder, copy } = each;
    const shape = {
      format,
      root: copy?.root ?? root,
      columns: Object.fromEntries(
        Object.entries(reads).map(([name, read]) => [name, rawColumn(columns, name, read)]),
      ),
      compression: file.path.endsWith(".gz") ? ("gzip" as const) : ("none" as const),
      header: format === "csv" ? csvNames(columns, reads) : [],
      fileColumn,
      // Without a cluster the types that only DuckDB reads make no difference.
      ...(codecs === undefined
        ? {}
        : { codecs, ...(rareType && { rareType }), ...(isLegacy && { isLegacy }) }),
      ...(isReadInOrder === undefined ? {} : { isReadInOrder }),
      ...(columns.some((column) => column.hasMilliseconds && !Object.hasOwn(reads, column.name))
        ? { isReadByName: true as const }
        : {}),
    };
    // A cluster refuses a group for the name of one file.
    const signature = JSON.stringify([shape, codecs === undefined || isPlainToSpark(file.uri)]);
    const part = parts.get(signature) ?? { ...shape, files: [], bytes: 0 };
    part.files.push(pathPattern(copy?.uri ?? file.uri));
    part.bytes += file.bytes;
    if (rows !== undefined) part.rowCount = rows + (part.rowCount ?? 0);
    parts.set(signature, part);
  }
  return [...parts.values()];
}

/** Names for the columns of a CSV. A column that the model does not read only has a number, so that no two names clash. */
function csvNames(columns: readonly FileColumn[], reads: Reads): string[] {
  return columns.map(({ name }, index) =>
    Object.hasOwn(reads, name) ? name : `column_${(index + 1).toString()}`,
  );
}

function rawColumn(columns: readonly FileColumn[], name: string, read: Reads[string]): RawColumn {
  const column = columns.find((candidate) => candidate.name === name);
  if (column === undefined) throw new RangeError(`no column ${name}`);
  const { duckDbName, parts, unit, isOrdinary } = column;
  const type = column.typeInCopy ?? column.type;
  const named = {
    name: duckDbName,
    type,
    ...(unit && { unit }),
    ...(isOrdinary && { isOrdinary }),
    ...(parts !== undefined && { parts }),
  };
  // The text of a FLOAT has fewer digits than its number.
  if (type === "FLOAT" && read !== "moment") return { ...named, castTo: "DOUBLE" };
  if (unit !== undefined) return read === "moment" ? named : { ...named, castTo: "VARCHAR" };
  return READABLE[read].test(type) ? named : { ...named, castTo: "VARCHAR" };
}

/** The types that the functions of the models accept. BLOB is text that its writer did not mark as text. */
const READABLE: Record<Reads[string], RegExp> = {
  moment: /^(VARCHAR|BLOB|DATE|TIMESTAMP(_S|_MS|_NS| WITH TIME ZONE)?)$/,
  number: /^(VARCHAR|BLOB|DOUBLE|U?(TINY|SMALL)INT|U?INTEGER|BIGINT)$/,
  text: /^/,
};
