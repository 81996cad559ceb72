import { setMaxListeners } from "node:events";
import { hasNativeCalls } from "../base/concurrency.js";
import { endAtOnce, onEndingSignals } from "../base/ending-signals.js";
import type { EndingSignal } from "../base/ending-signals.js";
import { PipelineError } from "../base/errors.js";
import { EXIT_CODES, type ExitCode } from "../base/exit-codes.js";
import { faultOfWork } from "../base/machine-faults.js";

/** How long cancelled work has to end. After that the process ends without it, as if it was killed. */
export const GRACE_MILLISECONDS = 8_000;

/**
 * Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that the work can end cleanly. A second one ends the
 * process at once.
 */
export class Cancellation {
  readonly #controller = new AbortController();
  readonly #tell: (fault: PipelineError) => void;
  #isListenedTo = false;
  #handle: ((signal: EndingSignal) => void) | undefined;
  #came: EndingSignal | undefined;
  /** The current steps, for a message if they do not end. */
  steps: () => readonly string[] = () => [];

  /** @param tell reports why the process ends, if it ends before its work has. */
  constructor(tell: (fault: PipelineError) => void) {
    this.#tell = tell;
    // Each current statement and request listens.
    setMaxListeners(0, this.#controller.signal);
    onEndingSignals((signal, isFirst) => {
      if (this.#handle !== undefined) this.#handle(signal);
      else if (isFirst) this.abort(signal);
      else endAtOnce(signal);
    });
  }

  /** Aborts the work. Until work uses it, a signal ends the process at once. */
  get signal(): AbortSignal {
    this.#isListenedTo = true;
    return this.#controller.signal;
  }

  /** The exit code of the received signal; undefined if there was none. */
  get exitCode(): ExitCode | undefined {
    return this.#came && EXIT_CODES[this.#came];
  }

  /** The fault of failed work, see `faultOfWork`. */
  faultOf(error: unknown): unknown {
    return faultOfWork(this.#controller.signal, error);
  }

  /** Ends the work with a fault, unless it is already cancelled. */
  cancel(fault: PipelineError): void {
    this.#controller.abort(fault);
  }

  /** Ends the work because of a signal, within the grace period. */
  abort(signal: EndingSignal): void {
    this.#came = signal;
    if (!this.#isListenedTo) {
      this.#tell(new PipelineError("CANCELLED", "cancelled before it was finished. Run it again"));
      endAtOnce(signal);
    }
    this.#controller.abort();
    setTimeout(() => {
      this.#tell(this.#graceIsOver());
      endAtOnce(signal);
    }, GRACE_MILLISECONDS).unref();
  }

  /** Gives the signals to a handler while some work continues, instead of aborting it. */
  async handledBy<Result>(
    handle: (signal: EndingSignal) => void,
    work: () => Promise<Result>,
  ): Promise<Result> {
    this.#handle = handle;
    try {
      return await work();
    } finally {
      this.#handle = undefined;
    }
  }

  /** Ends the process after its work, if a signal came and a native call would delay the end. */
  endIfStuck(): void {
    if (this.#came !== undefined && hasNativeCalls()) endAtOnce(this.#came);
  }

  #graceIsOver(): PipelineError {
    const steps = this.steps();
    const underWay = steps.length === 0 ? "" : ` (${steps.join(", ")})`;
    const seconds = (GRACE_MILLISECONDS / 1_000).toString();
    return new PipelineError(
      "CANCELLED",
      `cancelled; the current work${underWay} did not stop within ${seconds} s, so the process was killed. ` +
        "Run it again; the next run cleans up",
    );
  }
}
