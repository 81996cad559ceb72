import type { Consumption } from "../consumption/consumption.js";
import { readRuns } from "../consumption/recorded-runs.js";
import { loadSqlVersion } from "../models/load.js";
import { isRaw } from "../models/model.js";
import { reportOf, type InputFile } from "../record/run-record.js";
import type { Settings } from "../settings/settings.js";
import type { Publication } from "../voucher/publication-identity.js";
import { openZones } from "../zones/open-zones.js";
import { sha256Of, type Zone, type ZoneFile } from "../zones/zone.js";
import { readerOf, type DateRuns } from "./date-runs.js";

/** A raw file that is not what a publication was made from any more. */
export interface ChangedInput {
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

  /** What has become of a file that a run has read; undefined where it is the same. */
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
 * @returns undefined where no record says what it was made from.
 */
export async function changedInputs(
  consumption: Consumption,
  publication: Publication,
  runs: DateRuns,
  rawFiles: RawFilesNow,
): Promise<ChangedInput[] | undefined> {
  const reader = readerOf(publication, runs);
  const [run] = reader === undefined ? [] : await readRuns(consumption, { runId: reader.run_id, limit: 1 });
  const inputs = (run && reportOf(run)?.inputs) ?? [];
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
