import { cancelled, messageOf } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { allEnded } from "../side-by-side.js";
import { partitionFolder, type Undo } from "../zones/zone.js";
import type { RunActivity } from "./activity.js";
import type { StagedPartition } from "./build.js";
import type { RunContext } from "./context.js";

interface Committed {
  readonly staged: StagedPartition;
  readonly undo: Undo;
}

/**
 * Puts staged partitions in their places, and does what depends on them. Where any of it fails, all
 * partitions are as they were.
 */
export async function withCommitted<Result>(
  { activity, runId, signal }: RunContext,
  partitions: readonly StagedPartition[],
  then: () => Promise<Result>,
): Promise<Result> {
  const committed: Committed[] = [];
  try {
    const commits = partitions.map(async (staged) => {
      committed.push({ staged, undo: await staged.zone.commit(runId, staged.partition) });
    });
    await allEnded(commits);
    failpoint("all committed");
    if (signal.aborted) throw cancelled(signal);
    return await then();
  } catch (error) {
    await undoAll(committed, activity);
    throw error;
  }
}

/** Side by side: where the storage is silent, each has to wait for it. */
async function undoAll(committed: readonly Committed[], activity: RunActivity): Promise<void> {
  const undoing = committed.map(async ({ staged, undo }) => {
    try {
      await undo();
    } catch (error) {
      const partition = `${staged.zone.root}/${partitionFolder(staged.partition)}`;
      activity.warn(`${partition} holds unpublished rows, run again: ${messageOf(error)}`);
    }
  });
  await allEnded(undoing);
}
