import { fork } from "node:child_process";
import os from "node:os";
import type { EndingSignal } from "../base/ending-signals.js";
import { PipelineError } from "../base/errors.js";
import { EXIT_CODES } from "../base/exit-codes.js";
import { GRACE_MILLISECONDS as CANCEL_MILLISECONDS, type Cancellation } from "./cancel.js";

/** How long a run has to stop after its time limit: to interrupt its statements, and to undo its commit. */
const GRACE_MILLISECONDS = 10_000;
/** The additional wait for a process that received a signal. */
const MARGIN_MILLISECONDS = 1_000;

/**
 * Runs the command in another process, and kills that if it does not stop in time. A process cannot end its own wait
 * for a native call or for a disk.
 * @returns the exit code.
 * @throws PipelineError TIMED_OUT if the process had to be killed, which is as safe as any kill.
 */
export async function doUnderWatch(milliseconds: number, cancellation: Cancellation): Promise<number> {
  const [, program = "", ...words] = process.argv;
  // In its own session it receives no signal of the terminal; this process passes signals on.
  const child = fork(program, [...words, "--watched"], { detached: true });
  const timers: NodeJS.Timeout[] = [];
  const endAfter = (delay: number, end: () => void) => {
    timers.push(setTimeout(end, delay));
  };
  let steps: readonly string[] = [];
  child.on("message", (message) => (steps = message as readonly string[]));
  let exitCodeOfKill: number | undefined;
  const kill = (code: number) => {
    exitCodeOfKill = code;
    child.kill("SIGKILL");
  };
  const passOn = (signal: EndingSignal) => {
    child.kill(signal);
    // It ends itself earlier, unless it cannot even receive the signal.
    endAfter(CANCEL_MILLISECONDS + MARGIN_MILLISECONDS, () => {
      kill(EXIT_CODES[signal]);
    });
  };
  const ended = new Promise<number>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => {
      resolve(code ?? exitCodeOfKill ?? exitCodeOf(signal));
    });
    endAfter(milliseconds + GRACE_MILLISECONDS, () => {
      const grace = seconds(GRACE_MILLISECONDS);
      // A process that closed the channel has already reported its end.
      if (child.connected)
        reject(timedOut(milliseconds, steps, `it did not stop within another ${grace} and was killed`));
      kill(EXIT_CODES.unavailable);
    });
  });
  try {
    return await cancellation.handledBy(passOn, () => ended);
  } finally {
    timers.forEach(clearTimeout);
  }
}

/** The exit code of shells for a process that a signal ended. */
function exitCodeOf(signal: NodeJS.Signals | null): number {
  return 128 + os.constants.signals[signal ?? "SIGKILL"];
}

/**
 * Runs work in the watched process, and cancels it after the time limit.
 * @param steps the current steps.
 */
export async function withinTime<Result>(
  milliseconds: number,
  cancellation: Cancellation,
  steps: () => readonly string[],
  work: () => Promise<Result>,
): Promise<Result> {
  const timer = setTimeout(() => {
    process.send?.(steps());
    cancellation.cancel(timedOut(milliseconds, steps(), "the run was cancelled; nothing was changed"));
  }, milliseconds);
  // Nobody would end it any more: it ends with the process that was started.
  const die = () => process.kill(process.pid, "SIGKILL");
  process.once("disconnect", die);
  try {
    return await work();
  } finally {
    clearTimeout(timer);
    process.off("disconnect", die);
    if (process.connected) process.disconnect();
  }
}

function timedOut(milliseconds: number, steps: readonly string[], state: string): PipelineError {
  const underWay = steps.length === 0 ? "" : ` during ${steps.join(", ")}`;
  return new PipelineError(
    "TIMED_OUT",
    `timed out after ${seconds(milliseconds)} (--timeout)${underWay}; ${state}. ` +
      "Check whether the storage or the database is slow, or increase --timeout. Then run it again",
  );
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toString()} s`;
}
