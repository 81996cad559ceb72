import { SIGNAL_EXIT_CODES } from "./exit-codes.js";

type CancelSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Turns the first SIGINT or SIGTERM into an abort, so that the work can end cleanly. A second one ends the process. */
export interface Cancellation {
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or undefined where none did. */
  readonly exitCode: number | undefined;
}

export function cancelOnSignals(): Cancellation {
  const controller = new AbortController();
  const cancellation = { signal: controller.signal, exitCode: undefined as number | undefined };
  for (const name of Object.keys(SIGNAL_EXIT_CODES) as CancelSignal[]) {
    process.once(name, () => {
      cancellation.exitCode = SIGNAL_EXIT_CODES[name];
      controller.abort();
    });
  }
  return cancellation;
}
