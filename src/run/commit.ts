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
 * Puts staged partitions in their places, and does what depends on them. If any of it fails, all
 * partitions are as they were; where it is done, what they have taken the place of goes.
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
  // How the run has ended is decided. What stays is read by nobody, and the next run of the date removes it.
  await endAll(
    committed,
    ({ finish }) => finish(),
    (partition, reason) => {
      activity.warn(`${partition} has old files that could not be removed: ${reason}`);
    },
  );
  return result;
}

/** Side by side: where the storage is silent, each has to wait for it. */
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

/** A partition that is written and audited, and not yet where readers look. */
export interface StagedPartition {
  readonly model: WrittenModel;
  readonly zone: Zone;
  readonly partition: Partition;
  /** Its path after the commit: the one file, or the manifest that names its files. */
  readonly uri: string;
  /** How many files it has. */
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of its one file, or of the manifest. */
  readonly sha256: string;
}

/**
 * Describes what was staged for a partition.
 * @param file the one file, where it is one and not many.
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
