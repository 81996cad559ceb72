import { allEnded } from "../base/concurrency.js";
import { cancelled, messageOf } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import type { WrittenModel } from "../models/model.js";
import { manifestFile, manifestText, sha256OfText } from "../zones/manifest.js";
import {
  partitionFile,
  partitionFolder,
  sha256Of,
  sizeOf,
  type Commit,
  type Partition,
  type Zone,
  type ZoneFile,
} from "../zones/zone.js";
import type { RunContext } from "./context.js";

interface Committed extends Commit {
  readonly staged: StagedPartition;
}

/**
 * Replaces partitions with the staged ones, and then runs the dependent work. If anything fails, all partitions
 * return to their old state. If everything succeeds, the replaced files are removed.
 */
export async function withCommitted<Result>(
  { activity, runId, signal }: RunContext,
  partitions: readonly StagedPartition[],
  then: () => Promise<Result>,
): Promise<Result> {
  const committed: Committed[] = [];
  let result: Result;
  try {
    const commits = partitions.map(async (staged) => {
      committed.push({ staged, ...(await staged.zone.commit(runId, staged.partition)) });
    });
    await allEnded(commits);
    failpoint("all committed");
    if (signal.aborted) throw cancelled(signal);
    result = await then();
  } catch (error) {
    await endAll(
      committed,
      ({ undo }) => undo(),
      (partition, reason) => {
        activity.warn(`${partition} has unpublished rows; run again: ${reason}`);
      },
    );
    throw error;
  }
  // The outcome of the run is decided. No reader uses a leftover, and the next run of the date removes it.
  await endAll(
    committed,
    ({ finish }) => finish(),
    (partition, reason) => {
      activity.warn(`${partition} has old files that could not be removed: ${reason}`);
    },
  );
  return result;
}

/** All at once: a silent storage delays each of them. */
async function endAll(
  committed: readonly Committed[],
  end: (commit: Commit) => Promise<void>,
  warn: (partition: string, reason: string) => void,
): Promise<void> {
  const ending = committed.map(async ({ staged, ...commit }) => {
    try {
      await end(commit);
    } catch (error) {
      warn(`${staged.zone.root}/${partitionFolder(staged.partition)}`, messageOf(error));
    }
  });
  await allEnded(ending);
}

/** A partition that is written and audited, but not visible to readers yet. */
export interface StagedPartition {
  readonly model: WrittenModel;
  readonly zone: Zone;
  readonly partition: Partition;
  /** Its path after the commit: the one file, or the manifest that lists its files. */
  readonly uri: string;
  /** The number of its files. */
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** The hash of its one file, or of the manifest. */
  readonly sha256: string;
}

/**
 * Describes the staged files of a partition.
 * @param file the one file, if there is only one.
 */
export async function describeStaged(
  runId: string,
  written: Pick<StagedPartition, "model" | "zone" | "partition" | "rows">,
  file: Pick<ZoneFile, "path" | "uri" | "bytes"> | undefined,
): Promise<StagedPartition> {
  const { zone, partition } = written;
  if (file !== undefined) {
    const uri = `${zone.root}/${partitionFile(partition)}`;
    return { ...written, uri, files: 1, bytes: file.bytes, sha256: await sha256Of(zone, file) };
  }
  const files = await zone.staged(runId, partition);
  return {
    ...written,
    uri: `${zone.root}/${manifestFile(partition)}`,
    ...sizeOf({ files }),
    sha256: sha256OfText(manifestText(runId, partition, files)),
  };
}
