import { PipelineError } from "../base/errors.js";
import type { Consumption } from "../consumption/consumption.js";
import { hasFailed, readRunOutlines, readRuns, type RunOutline } from "../consumption/recorded-runs.js";
import { loadSqlVersion } from "../models/load.js";
import { isRaw } from "../models/model.js";
import {
  trustedReportOf,
  type OutputTable,
  type RestingTable,
  type InputFile,
} from "../record/run-record.js";
import type { Stage } from "../record/stages.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { openZones } from "../zones/open-zones.js";
import { sha256Of, type Zone, type ZoneFile } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/** The runs of one execution date, the one that began first first. Only this file interprets them. */
export type DateRuns = readonly RunOutline[];

/**
 * The stages that are still open after runs that each did their stages. Stages run in their order, in one run or in
 * several. `publish` before `aggregate` does not count, because it publishes the old tables.
 */
export function stagesLeft(stages: readonly string[], runs: DateRuns): readonly string[] {
  let left = stages;
  for (const run of runs.filter(hasSucceeded)) {
    for (const stage of stagesOf(run)) if (left[0] === stage) left = left.slice(1);
  }
  return left;
}

/** The last failure of a date whose stages have not all succeeded since; undefined if no stage is open. */
export function failureOf(runs: DateRuns): RunOutline | undefined {
  return runs.findLast(
    (run, index) => hasFailed(run) && stagesLeft(stagesOf(run), runs.slice(index + 1)).length > 0,
  );
}

/** The last run that had a stage and succeeded. */
function lastThatDid(stage: Stage, runs: DateRuns): RunOutline | undefined {
  return runs.findLast((run) => hasSucceeded(run) && stagesOf(run).includes(stage));
}

/**
 * The run that read the raw files of a publication. A run of `publish` alone published the tables of the last earlier
 * `aggregate`. That run read the tables of the last earlier `curate`.
 * @returns undefined if no such run is known.
 */
function readerOf({ runId }: Pick<Publication, "runId">, runs: DateRuns): RunOutline | undefined {
  // A publication does not name a run that published the same data again. It does name a run that was killed after
  // the publish.
  const publisher = runs.findLast(
    (run) => run.run_id === runId || (hasSucceeded(run) && stagesOf(run).includes("publish")),
  );
  const before = (run: RunOutline, stage: Stage) =>
    stagesOf(run).includes(stage) ? run : lastThatDid(stage, runs.slice(0, runs.indexOf(run)));
  const aggregator = publisher && before(publisher, "aggregate");
  return aggregator && before(aggregator, "curate");
}

function hasSucceeded({ outcome }: RunOutline): boolean {
  return outcome === "succeeded";
}

function stagesOf({ stages }: RunOutline): string[] {
  return stages.split(",");
}

/**
 * Checks that the partitions come from the last successful run of their stage. A run that was killed during its
 * commit leaves new partitions next to old ones, and no file shows it. If no run is known, for example in a new
 * database, the check passes.
 * @throws PipelineError PARTITION_DIFFERS.
 */
export async function assertWrittenByRuns(
  { consumption, executionDate, runId }: Pick<RunContext, "consumption" | "executionDate" | "runId">,
  tables: readonly RestingTable[],
): Promise<void> {
  if (tables.length === 0) return;
  const { partitionKey, iso } = executionDate;
  const runs = (await readRunOutlines(consumption, { executionDate: partitionKey })).get(partitionKey) ?? [];
  if (runs.every(({ run_id, stages }) => run_id === runId || stages === "publish")) return;
  for (const stage of ["curate", "aggregate"] as const) {
    const read = tables.filter(
      ({ model }) => stage === (model.startsWith("curated.") ? "curate" : "aggregate"),
    );
    const written = read.length === 0 ? [] : await tablesOf(consumption, lastThatDid(stage, runs));
    const strange = read.find(
      ({ model, sha256 }) => written.find((table) => table.model === model)?.sha256 !== sha256,
    );
    if (strange === undefined) continue;
    throw new PipelineError(
      "PARTITION_DIFFERS",
      `${strange.uri} is not the file of the last successful run. A later run may have been killed during its ` +
        `commit. Rebuild everything with npx pipeline run -e ${iso}`,
    );
  }
}

/**
 * The hashes of the SQL that made the tables of a date: of the last run of each stage. Nothing if no run of the date is
 * known.
 */
export async function sqlOfTables(
  consumption: Consumption,
  { partitionKey }: ExecutionDate,
  stages: readonly Stage[],
): Promise<ReadonlySet<string>> {
  const runs = (await readRunOutlines(consumption, { executionDate: partitionKey })).get(partitionKey) ?? [];
  const hashes = new Set<string>();
  for (const stage of stages) {
    const outline = lastThatDid(stage, runs);
    const [run] =
      outline === undefined ? [] : await readRuns(consumption, { runId: outline.run_id, limit: 1 });
    if (run !== undefined) hashes.add(run.sql_hash);
  }
  return hashes;
}

/** The partitions that a run wrote. */
async function tablesOf(
  consumption: Consumption,
  outline: RunOutline | undefined,
): Promise<readonly OutputTable[]> {
  const [run] = outline === undefined ? [] : await readRuns(consumption, { runId: outline.run_id, limit: 1 });
  return (run && trustedReportOf(run)?.tables) ?? [];
}

/** A raw file that has changed since a publication. */
export interface ChangedInput {
  readonly path: string;
  readonly change: "changed" | "grown" | "gone";
}

/** The current raw files. */
export class RawFilesNow {
  readonly #zone: Zone;
  readonly #files: ReadonlyMap<string, ZoneFile>;
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(zone: Zone, files: readonly ZoneFile[]) {
    this.#zone = zone;
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  /** The change of a run's input file; undefined if it is the same. */
  async changeOf({ path, bytes, version, sha256 }: InputFile): Promise<ChangedInput | undefined> {
    const file = this.#files.get(path);
    if (file === undefined) return { path, change: "gone" };
    if (file.bytes === bytes && file.version === version) return undefined;
    // A copied or touched file has another time, but can have the same content.
    if (sha256 !== undefined && file.bytes === bytes && (await this.#hashOf(file)) === sha256)
      return undefined;
    return { path, change: file.bytes > bytes ? "grown" : "changed" };
  }

  /** Each file is hashed once, for all dates together. */
  #hashOf(file: ZoneFile): Promise<string> {
    const known = this.#hashes.get(file.path) ?? sha256Of(this.#zone, file);
    this.#hashes.set(file.path, known);
    return known;
  }
}

/**
 * The raw files of a publication.
 * @param runs the runs of its execution date.
 * @returns undefined if no record has the files of the publication.
 */
export async function inputsOf(
  consumption: Consumption,
  publication: Publication,
  runs: DateRuns,
): Promise<readonly InputFile[] | undefined> {
  const reader = readerOf(publication, runs);
  const [run] = reader === undefined ? [] : await readRuns(consumption, { runId: reader.run_id, limit: 1 });
  const inputs = (run && trustedReportOf(run)?.inputs) ?? [];
  return inputs.length === 0 ? undefined : inputs;
}

/** The raw files that have changed or disappeared since. New files do not count: they are for later dates. */
export async function changedInputs(
  inputs: readonly InputFile[],
  rawFiles: RawFilesNow,
): Promise<ChangedInput[]> {
  const changes = await Promise.all(inputs.map((input) => rawFiles.changeOf(input)));
  return changes.filter((change) => change !== undefined);
}

/** A published execution date, and its raw files that have changed. */
export interface StaleDate {
  readonly execution_date: string;
  readonly files: readonly ChangedInput[];
}

/**
 * The publications whose raw files have changed.
 * @param runs by the partition keys of their execution dates.
 */
export async function staleDates(
  settings: Settings,
  consumption: Consumption,
  publications: readonly Publication[],
  runs: ReadonlyMap<string, DateRuns>,
): Promise<StaleDate[]> {
  return withRawFiles(settings, (zone, listed) =>
    staleAmong(consumption, publications, runs, new RawFilesNow(zone, listed)),
  );
}

/** The same check for raw files that are already listed. */
export async function staleAmong(
  consumption: Consumption,
  publications: readonly Publication[],
  runs: ReadonlyMap<string, DateRuns>,
  rawFiles: RawFilesNow,
): Promise<StaleDate[]> {
  const stale: StaleDate[] = [];
  for (const publication of publications) {
    const { iso, partitionKey } = publication.executionDate;
    const ofDate = runs.get(partitionKey) ?? [];
    const inputs = await inputsOf(consumption, publication, ofDate);
    const files = await changedInputs(inputs ?? [], rawFiles);
    if (files.length > 0) stale.push({ execution_date: iso, files });
  }
  return stale;
}

/** Lists the folders of the raw models once. */
export async function withRawFiles<Result>(
  settings: Settings,
  use: (zone: Zone, listed: readonly ZoneFile[]) => Promise<Result>,
): Promise<Result> {
  const { models } = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = await openZones(settings);
  try {
    const listed = await Promise.all(models.filter(isRaw).map(({ header }) => zones.raw.list(header.folder)));
    return await use(zones.raw, listed.flat());
  } finally {
    zones.close();
  }
}
