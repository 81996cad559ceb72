import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "./errors.js";

/** The maximum number of parallel operations of one kind, such as file reads or calls to a service. */
const AT_ONCE = 8;

/** Waits until all work has ended, and gives the results, or the first failure in the order of the work. */
export async function allEnded<Work extends readonly Promise<unknown>[] | []>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * Runs the same work for each of many items, a few at a time, and gives the results in their order. After a failure
 * it starts no other item, and it throws when the current ones have ended.
 * @param atOnce the maximum number of parallel items.
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  treat: (item: Item) => Promise<Result>,
  atOnce = AT_ONCE,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = [...items.entries()];
  const work = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [index, item] = next;
      try {
        results[index] = await treat(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  await allEnded(Array.from({ length: atOnce }, work));
  return results;
}

/**
 * Waits for a call, but after an abort only a little longer. The call itself continues, so it must not change
 * anything after that.
 * @param signal undefined for work that nobody cancels.
 * @param milliseconds how long to wait after the abort, or for a call that begins after it.
 * @throws PipelineError the fault of the signal, if the call has not ended by then.
 */
export async function untilAborted<Result>(
  call: Promise<Result>,
  signal: AbortSignal | undefined,
  milliseconds: number,
): Promise<Result> {
  if (signal === undefined) return call;
  const waiting = new AbortController();
  const givenUp = async () => {
    const isOver = { signal: waiting.signal };
    if (!signal.aborted) await once(signal, "abort", isOver);
    await sleep(milliseconds, undefined, isOver);
    throw cancelled(signal);
  };
  try {
    return await Promise.race([call, givenUp()]);
  } finally {
    waiting.abort();
  }
}

/*
 * Calls into native code have their own threads. The end of the process waits for them, and some cannot be
 * interrupted, such as a read of DuckDB from a silent server.
 */
let underWay = 0;

/** Counts a native call until it ends. */
export function nativeCall<Result>(call: () => Promise<Result>): Promise<Result> {
  underWay += 1;
  return call().finally(() => {
    underWay -= 1;
  });
}

export function hasNativeCalls(): boolean {
  return underWay > 0;
}
