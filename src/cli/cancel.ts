import type { PipelineError } from "../errors.js";
import { SIGNAL_EXIT_CODES } from "./exit-codes.js";

type CancelSignal = keyof typeof SIGNAL_EXIT_CODES;

/** Turns the first SIGINT or SIGTERM into an abort, so that the work can end cleanly. A second one ends the process. */
export interface Cancellation {
  readonly signal: AbortSignal;
  /** The exit code of the signal that came, or undefined where none did. */
  readonly exitCode: number | undefined;
  /** Has the work end with a fault, unless it is cancelled already. */
  cancel(fault: PipelineError): void;
}

export function cancelOnSignals(): Cancellation {
  const controller = new AbortController();
  const cancellation = {
    signal: controller.signal,
    exitCode: undefined as number | undefined,
    cancel: (fault: PipelineError) => {
      controller.abort(fault);
    },
  };
  for (const name of Object.keys(SIGNAL_EXIT_CODES) as CancelSignal[]) {
    process.once(name, () => {
      cancellation.exitCode = SIGNAL_EXIT_CODES[name];
      controller.abort();
    });
  }
  return cancellation;
}
