import { setTimeout as sleep } from "node:timers/promises";
import { cancelled, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import type { Lock } from "../consumption/consumption.js";
import { assertRunning, runningRun } from "../consumption/recorded-runs.js";
import type { RunContext } from "./context.js";

/** The interval at which a waiting run tries the lock. */
const POLL_MILLISECONDS = 500;

/**
 * Runs some work while no other run of the execution date can run, on this machine or another.
 * @param waitMilliseconds how long it waits for a run in progress.
 * @throws PipelineError LOCK_HELD if another run is still in progress then. The message names it and its start.
 */
export async function withRunLock<Result>(
  context: Omit<RunContext, "lock">,
  waitMilliseconds: number,
  use: (lock: Lock) => Promise<Result>,
): Promise<Result> {
  const { activity, consumption, executionDate, signal } = context;
  const deadline = performance.now() + waitMilliseconds;
  for (;;) {
    const locked = await consumption.tryLocked(executionDate.partitionKey, use);
    if (locked !== undefined) {
      failpoint("lock released");
      return locked.result;
    }
    const left = deadline - performance.now();
    if (left <= 0) throw await lockHeld(context, waitMilliseconds);
    await activity.during("waiting for another run", () => pause(Math.min(left, POLL_MILLISECONDS), signal));
  }
}

/**
 * Checks that no other run of the date has begun since this one did. A run that was stopped for long can lose its
 * lock, and another run can begin and end meanwhile.
 * @throws PipelineError LOCK_LOST.
 */
export async function assertUnchallenged({
  consumption,
  lock,
  runId,
}: Pick<RunContext, "consumption" | "lock" | "runId">): Promise<void> {
  await lock.assertHeld();
  await assertRunning(consumption, runId);
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await sleep(milliseconds, undefined, { signal });
  } catch (error) {
    throw signal.aborted ? cancelled(signal) : error;
  }
}

async function lockHeld(
  { consumption, executionDate }: Pick<RunContext, "consumption" | "executionDate">,
  waitedMilliseconds: number,
): Promise<PipelineError> {
  const holder = await runningRun(consumption, executionDate.partitionKey);
  const who =
    holder === undefined ? "" : `: ${holder.started_by}, since ${holder.started_at}, run ${holder.run_id}`;
  const remedy =
    waitedMilliseconds > 0
      ? `it did not end within ${(waitedMilliseconds / 1000).toString()} s`
      : "wait with --wait 10m, or stop it";
  return new PipelineError(
    "LOCK_HELD",
    `another run of ${executionDate.iso} is in progress${who}; ${remedy}`,
  );
}
