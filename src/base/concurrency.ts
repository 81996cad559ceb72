import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "./errors.js";

/** Things of one kind that are treated at the same time: files that are read, calls that are under way to a service. */
const AT_ONCE = 8;

/** Waits until all work has ended, well or not, and gives what came of it, or the first failure in the order of the work. */
export async function allEnded<Work extends readonly Promise<unknown>[] | []>(
  work: Work,
): Promise<{ -readonly [Index in keyof Work]: Awaited<Work[Index]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}

/**
 * Treats each of many alike, a few at a time, and gives what came of them in their order. After a failure no other is
 * begun, and it is told when those under way have ended.
 * @param atOnce how many are under way at the same time at the most.
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
 * Waits for a call, and after an abort only a little longer. The call itself continues: it must change nothing by then.
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
 * Calls into native code on threads of their own. The end of the process waits for them, and some cannot be interrupted, such as a
 * read of DuckDB from a silent server.
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
