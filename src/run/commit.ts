import { allEnded } from "../base/concurrency.js";
import { cancelled, messageOf } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { partitionFolder, type Commit } from "../zones/zone.js";
import type { RunContext } from "./context.js";
import type { StagedPartition } from "./staged-partition.js";

interface Committed extends Commit {
  readonly staged: StagedPartition;
}

/**
 * Puts staged partitions in their places, and does what depends on them. Where any of it fails, all
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
        activity.warn(`${partition} holds unpublished rows, run again: ${reason}`);
      },
    );
    throw error;
  }
  // How the run has ended is decided. What stays is read by nobody, and the next run of the date removes it.
  await endAll(
    committed,
    ({ finish }) => finish(),
    (partition, reason) => {
      activity.warn(`${partition} holds files that are none of its own by now: ${reason}`);
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
