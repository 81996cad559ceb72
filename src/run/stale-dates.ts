import type { Consumption } from "../consumption/consumption.js";
import { readRuns } from "../consumption/runs.js";
import { reportOf, type InputFile } from "../record/run-record.js";
import type { Publication } from "../voucher/publication.js";
import { sha256Of } from "../zones/hash.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
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
