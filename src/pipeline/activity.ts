/** What a run is doing, for whoever shows it. */
export class RunActivity {
  readonly #steps = new Set<string>();
  readonly #warnings: string[] = [];
  /** How far the statements under way are, from 0 to 100, or undefined where nothing is known. */
  percent: () => number | undefined = () => undefined;

  /** The names of the steps that are under way. */
  get steps(): readonly string[] {
    return [...this.#steps];
  }

  /** What a person should know of a run, and what does not decide how it ends. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  readonly warn = (message: string): void => {
    this.#warnings.push(message);
  };

  /** Does a step under its name. */
  async during<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
    this.#steps.add(step);
    try {
      return await work();
    } finally {
      this.#steps.delete(step);
    }
  }
}
