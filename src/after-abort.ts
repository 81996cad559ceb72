import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { cancelled } from "./errors.js";

/**
 * Waits for a call, and after an abort only a little longer. The call itself goes on: it must change nothing by then.
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
