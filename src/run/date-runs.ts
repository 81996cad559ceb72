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
import type { Publication } from "../voucher/publication-identity.js";
import { openZones } from "../zones/open-zones.js";
import { sha256Of, type Zone, type ZoneFile } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/** The runs of one execution date, the one that began first first. What they say of the date is decided here, for all who ask. */
export type DateRuns = readonly RunOutline[];

/**
 * Which of some stages are left to do, after runs that each have done theirs. Stages are done in their order, by one run or by
 * several: `publish` does not count before `aggregate`, because it publishes what was there before.
 */
export function stagesLeft(stages: readonly string[], runs: DateRuns): readonly string[] {
  let left = stages;
  for (const run of runs.filter(hasSucceeded)) {
    for (const stage of stagesOf(run)) if (left[0] === stage) left = left.slice(1);
  }
  return left;
}

/** The last failure of a date whose stages have not all succeeded since; undefined if nothing is left to do again. */
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
 * The run that read the raw files which a publication rests on. A run of `publish` alone published what the last run of `aggregate`
 * before it had written, and that run had read what the last run of `curate` before it had written.
 * @returns undefined if no such run is known.
 */
function readerOf({ runId }: Pick<Publication, "runId">, runs: DateRuns): RunOutline | undefined {
  // A run that published the same data again is not named by the publication. A run that was killed after it published is.
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
 * Makes sure that partitions at rest are those that the last run wrote which had their stage and succeeded. A run that was killed
 * while it committed leaves new partitions beside old ones, and no file tells. If no run that writes is known, as in a new
 * database, nothing speaks against them.
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

/** The partitions that a run wrote. */
async function tablesOf(
  consumption: Consumption,
  outline: RunOutline | undefined,
): Promise<readonly OutputTable[]> {
  const [run] = outline === undefined ? [] : await readRuns(consumption, { runId: outline.run_id, limit: 1 });
  return (run && trustedReportOf(run)?.tables) ?? [];
}

/** A raw file that is not what a publication was made from any more. */
interface ChangedInput {
  readonly path: string;
  readonly change: "changed" | "grown" | "gone";
}

/** The raw files as they are now. */
export class RawFilesNow {
  readonly #zone: Zone;
  readonly #files: ReadonlyMap<string, ZoneFile>;
  readonly #hashes = new Map<string, Promise<string>>();

  constructor(zone: Zone, files: readonly ZoneFile[]) {
    this.#zone = zone;
    this.#files = new Map(files.map((file) => [file.path, file]));
  }

  /** What has become of a file that a run has read; undefined if it is the same. */
  async changeOf({ path, bytes, version, sha256 }: InputFile): Promise<ChangedInput | undefined> {
    const file = this.#files.get(path);
    if (file === undefined) return { path, change: "gone" };
    if (file.bytes === bytes && file.version === version) return undefined;
    // A file that was copied or touched has another time, and may have the same content.
    if (sha256 !== undefined && file.bytes === bytes && (await this.#hashOf(file)) === sha256)
      return undefined;
    return { path, change: file.bytes > bytes ? "grown" : "changed" };
  }

  /** Once a file, however many dates were made from it. */
  #hashOf(file: ZoneFile): Promise<string> {
    const known = this.#hashes.get(file.path) ?? sha256Of(this.#zone, file);
    this.#hashes.set(file.path, known);
    return known;
  }
}

/**
 * The raw files that a publication rests on and that have changed or gone since. Files that have come since do not count: they are
 * for later dates.
 * @param runs those of its execution date.
 * @returns undefined if no record says what it was made from.
 */
async function changedInputs(
  consumption: Consumption,
  publication: Publication,
  runs: DateRuns,
  rawFiles: RawFilesNow,
): Promise<ChangedInput[] | undefined> {
  const reader = readerOf(publication, runs);
  const [run] = reader === undefined ? [] : await readRuns(consumption, { runId: reader.run_id, limit: 1 });
  const inputs = (run && trustedReportOf(run)?.inputs) ?? [];
  if (inputs.length === 0) return undefined;
  const changes = await Promise.all(inputs.map((input) => rawFiles.changeOf(input)));
  return changes.filter((change) => change !== undefined);
}

/** An execution date that is published, and the raw files of it that are others now. */
export interface StaleDate {
  readonly execution_date: string;
  readonly files: readonly ChangedInput[];
}

/**
 * The publications whose raw files are not what they rest on.
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

/** The same, for raw files that were listed already. */
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
    const files = (await changedInputs(consumption, publication, ofDate, rawFiles)) ?? [];
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
