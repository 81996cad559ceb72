import { allEnded } from "../base/concurrency.js";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { isOneFile, manifestFile, manifestText, placeOf } from "./manifest.js";
import {
  partitionFile,
  partitionFolder,
  type Commit,
  type Partition,
  type Undo,
  type ZoneFile,
} from "./zone.js";

/** A file that a run has staged. */
type StagedFile = Pick<ZoneFile, "path" | "bytes">;

/** The files of a partition, and its staged files. All paths are below the zone. */
export interface PartitionPlace<Staged extends StagedFile> {
  /** How messages name the folder of the staged files. */
  readonly staging: string;
  /** The staged files. Names that begin with `.` or `_` do not count. */
  readonly staged: readonly Staged[];
  /** Whether another run has swept the staging. */
  isSwept(): Promise<boolean>;
  /**
   * Keeps a file until the staging is swept. The file stays in its place.
   * @returns a function that restores it; undefined if there is no such file.
   */
  keep(file: string): Promise<(() => Promise<void>) | undefined>;
  /** Puts each staged file at its new path. A reader sees a whole file or none. */
  put(paths: ReadonlyMap<Staged, string>): Promise<void>;
  /** Writes a small file. A reader sees the old text or the new one. */
  write(file: string, text: string): Promise<void>;
  /** Removes files of the partition's folder, if they are there, and the folder if it is empty then. */
  remove(files: readonly string[]): Promise<void>;
  /** All other files in the partition's folder. */
  besides(files: readonly string[]): Promise<string[]>;
}

/**
 * Replaces a partition with its staged files. It keeps the old file or manifest for an undo. Other files stay until
 * the commit is finished.
 */
export async function replacePartition<Staged extends StagedFile>(
  open: () => Promise<PartitionPlace<Staged>>,
  runId: string,
  partition: Partition,
): Promise<Commit> {
  const { table } = partition;
  const file = partitionFile(partition);
  const manifest = manifestFile(partition);
  failpoint(`${table}: commit begun`);
  const place = await open();
  const { staged } = place;
  if (staged.length === 0) throw sweptStaging(place.staging);
  const isOne = isOneFile(runId, partition, staged);
  const [oldFile, oldManifest] = await allEnded([
    isOne ? place.keep(file) : Promise.resolve(undefined),
    place.keep(manifest),
  ]);
  failpoint(`${table}: old file kept`);
  const paths = new Map(
    staged.map((one) => [
      one,
      isOne ? file : `${partitionFolder(partition)}/${placeOf(runId, partition, one)}`,
    ]),
  );
  const placed = [...paths.values()];

  const undo = async () => {
    failpoint(`${table}: undo begun`);
    if (await place.isSwept()) return;
    // The files of the old manifest still exist.
    if (oldManifest !== undefined) await oldManifest();
    else if (!isOne) await place.remove([manifest]);
    failpoint(`${table}: old manifest back`);
    if (oldFile !== undefined) await oldFile();
    else await place.remove(placed);
    failpoint(`${table}: old file back`);
  };

  try {
    await place.put(paths);
    failpoint(isOne ? `${table}: new file in place` : `${table}: new files in place`);
    if (isOne) {
      if (oldManifest !== undefined) await place.remove([manifest]);
      failpoint(`${table}: old manifest removed`);
    } else {
      await place.write(manifest, manifestText(runId, partition, staged));
      failpoint(`${table}: new manifest in place`);
    }
  } catch (error) {
    throw await undone(undo, error);
  }

  return {
    undo,
    finish: async () => {
      failpoint(`${table}: finish begun`);
      const rest = await place.besides(isOne ? placed : [...placed, manifest]);
      if (rest.length > 0) {
        if (await place.isSwept()) return;
        await place.remove(rest);
      }
      failpoint(`${table}: rest removed`);
    },
  };
}

/** The fault of a run whose staging the next run of the date has swept. */
export function sweptStaging(folder: string): PipelineError {
  const message = `the staged files in ${folder} are gone, another run removed them; run again`;
  return new PipelineError("STORAGE_FAILED", message);
}

/**
 * Undoes a failed commit.
 * @returns the fault of the commit, with the fault of the undo if that failed, too.
 */
export async function undone(undo: Undo, fault: unknown): Promise<unknown> {
  try {
    await undo();
    return fault;
  } catch (error) {
    const message = `${messageOf(fault)}; then the undo also failed: ${messageOf(error)}`;
    if (fault instanceof PipelineError) return new PipelineError(fault.code, message, { cause: fault });
    const code = systemCodeOf(fault);
    return Object.assign(new Error(message, { cause: fault }), code === undefined ? {} : { code });
  }
}
