import type { Logger } from "pino";
import type { StepTime } from "../record/run-record.js";

/** What a run is doing, for whoever shows it. */
export class RunActivity {
  readonly #steps = new Set<string>();
  readonly #warnings: string[] = [];
  readonly #seconds = new Map<string, number>();
  #log: Logger | undefined;
  /** How far the statements under way are, from 0 to 100, or undefined where nothing is known. */
  percent: () => number | undefined = () => undefined;

  /** @param log is told of steps and warnings as they come; undefined where there is none. */
  constructor(log?: Logger) {
    this.#log = log;
  }

  /** The log of the run, where there is one. */
  get log(): Logger | undefined {
    return this.#log;
  }

  /** Has every line of the log from now on say which run it is of. */
  isOf(run: { readonly run: string; readonly execution_date: string }): void {
    this.#log = this.#log?.child(run);
  }

  /** The names of the steps that are under way. */
  get steps(): readonly string[] {
    return [...this.#steps];
  }

  /** What a person should know of a run, and what does not decide how it ends. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** The steps that have ended, in the order in which they first did; one that was taken several times has the sum. */
  get stepTimes(): readonly StepTime[] {
    return [...this.#seconds].map(([step, seconds]) => ({ step, seconds }));
  }

  readonly warn = (message: string): void => {
    this.#warnings.push(message);
    this.#log?.warn(message);
  };

  /** Does a step under its name. */
  async during<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
    this.#steps.add(step);
    this.#log?.trace({ step }, "step begun");
    const begun = performance.now();
    try {
      return await work();
    } finally {
      this.#steps.delete(step);
      const seconds = (performance.now() - begun) / 1_000;
      this.#seconds.set(step, (this.#seconds.get(step) ?? 0) + seconds);
      this.#log?.debug({ step, seconds }, "step ended");
    }
  }
}
