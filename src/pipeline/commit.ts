import type { Commit } from "../zones/zone.js";
import type { StagedPartition } from "./build.js";

/**
 * Puts staged partitions in their places one after the other, does what depends on them, and lets go of the old files.
 * Where any of it fails, all partitions are as they were.
 */
export async function withCommitted<Result>(
  runId: string,
  staged: readonly StagedPartition[],
  then: () => Promise<Result>,
): Promise<Result> {
  const commits: Commit[] = [];
  let result: Result;
  try {
    for (const { zone, partition } of staged) commits.push(await zone.commit(runId, partition));
    result = await then();
  } catch (error) {
    for (const commit of commits.reverse()) await commit.undo();
    throw error;
  }
  for (const commit of commits) await commit.keep();
  return result;
}
