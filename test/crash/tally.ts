import { isDeepStrictEqual } from "node:util";
import { recordReliability } from "../reliability-results.js";
import type { Seen } from "./seen.js";

/** Counts what was tried and what came of it. */
export class Tally {
  readonly #tried: Record<string, number> = {};
  readonly #outcomes: Record<string, number> = {};
  #violations = 0;

  tried(what: string): void {
    add(this.#tried, what, 1);
  }

  came(what: string): void {
    add(this.#outcomes, what, 1);
  }

  broke(promises: number): void {
    this.#violations += promises;
  }

  /** Keeps the largest of some numbers. */
  most(what: string, number: number): void {
    this.#outcomes[what] = Math.max(this.#outcomes[what] ?? 0, number);
  }

  /** Counts which state readers saw after a kill. */
  saw(seen: Seen, before: Seen, after: Seen): void {
    const isNew = isDeepStrictEqual(seen.database, after.database);
    if (!isDeepStrictEqual(before.database, after.database)) {
      this.came(`readers of the database saw the ${isNew ? "new" : "old"} state`);
    }
    if (isDeepStrictEqual(before.files, after.files)) return;
    if (isDeepStrictEqual(seen.files, before.files)) this.came("readers of the zones saw the old files");
    else if (isDeepStrictEqual(seen.files, after.files)) this.came("readers of the zones saw the new files");
    else this.came("readers of the zones saw old and new files, each of them whole");
  }

  /** Prints one line, and records the result where results are asked for. */
  async report(name: string): Promise<void> {
    const counts = Object.entries({ ...this.#tried, ...this.#outcomes }).map(
      ([what, count]) => `${what}: ${count}`,
    );
    process.stdout.write(`${name}: ${[...counts, `violations: ${this.#violations}`].join(", ")}\n`);
    await recordReliability({
      name,
      tried: this.#tried,
      outcomes: this.#outcomes,
      violations: this.#violations,
    });
  }
}

function add(counts: Record<string, number>, what: string, count: number): void {
  counts[what] = (counts[what] ?? 0) + count;
}
