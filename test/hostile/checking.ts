import { afterAll } from "@jest/globals";
import fc from "fast-check";
import { recordReliability } from "../reliability-results.js";

/** How often a property is tried; more finds more, see docs/testing.md. */
const RUNS = Number(process.env["HOSTILE_RUNS"] ?? 6);
/** In milliseconds: what is not done then has failed, and no smaller counterexample is looked for. */
const TIME_LIMIT = 120_000 + RUNS * 10_000;
/** For a test that checks a property: the runner's own limit is for single runs of the pipeline. */
export const PROPERTY_TIMEOUT = TIME_LIMIT + 60_000;

/** Counts what the properties of a suite try, and records it when they have all been checked. */
export class Suite {
  readonly #tried = { files: 0, rows: 0 };
  readonly #outcomes = { "as the contract says": 0, "refused, named": 0 };
  #violations = 0;

  constructor(name: string) {
    afterAll(() =>
      recordReliability({ name, tried: this.#tried, outcomes: this.#outcomes, violations: this.#violations }),
    );
  }

  /** Counts what is tried. */
  count(files: number, rows: number): void {
    this.#tried.files += files;
    this.#tried.rows += rows;
  }

  /** Counts files by how a run that they were in has ended. */
  end(outcome: "as the contract says" | "refused, named", files = 1): void {
    this.#outcomes[outcome] += files;
  }

  /**
   * Checks a property for generated cases.
   * @param share of HOSTILE_RUNS, for a property whose single case takes long.
   * @throws Error with the smallest counterexample that was found, and the seed that makes it again.
   */
  async holds<Case>(
    cases: fc.Arbitrary<Case>,
    check: (each: Case) => Promise<void>,
    share = 1,
  ): Promise<void> {
    const numRuns = Math.max(1, Math.round(RUNS * share));
    try {
      await fc.assert(fc.asyncProperty(cases, check), {
        numRuns,
        interruptAfterTimeLimit: TIME_LIMIT,
        markInterruptAsFailure: true,
      });
    } catch (error) {
      this.#violations++;
      throw error;
    }
  }
}
