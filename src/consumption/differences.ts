import { compareKeys, withinDate } from "./key-order.js";
import type { PublishedTable } from "./published-tables.js";
import type { PublishedRow } from "./tables.js";

/** How many rows that differ are told of at a time. */
const DIFFERENCES_AT_A_TIME = 2_000;

/** Rows of a table in the order of its key, some at a time: all of them can be more than there is memory for. */
export type RowParts = AsyncIterable<readonly PublishedRow[]>;

/** A row that is not as it should be. */
export interface Difference {
  /** As it should be; undefined where there should be none of its key. */
  readonly wanted: PublishedRow | undefined;
  /** As it is; undefined where there is none of its key. */
  readonly present: PublishedRow | undefined;
}

/** Compares the rows that are wanted with those that are there, and holds some of each at a time. */
export async function* differencesOf(
  { columns, key }: PublishedTable,
  wanted: RowParts,
  present: RowParts,
): AsyncGenerator<readonly Difference[]> {
  const ownKey = withinDate(key);
  const isSame = (a: PublishedRow, b: PublishedRow) => columns.every(({ name }) => a[name] === b[name]);
  const there = new RowCursor(present);
  let differences: Difference[] = [];
  for await (const part of wanted) {
    for (const row of part) {
      for (;;) {
        if (there.isSpent) await there.readOn();
        if (there.row === undefined || compareKeys(there.row, row, ownKey) >= 0) break;
        differences.push({ wanted: undefined, present: there.row });
        there.pass();
        if (differences.length >= DIFFERENCES_AT_A_TIME) {
          yield differences;
          differences = [];
        }
      }
      const match =
        there.row !== undefined && compareKeys(there.row, row, ownKey) === 0 ? there.row : undefined;
      if (match !== undefined) there.pass();
      if (match === undefined || !isSame(match, row)) differences.push({ wanted: row, present: match });
    }
    yield differences;
    differences = [];
  }
  for await (const part of there.rest()) yield part.map((row) => ({ wanted: undefined, present: row }));
}

/** Goes through rows that come in parts. */
class RowCursor {
  readonly #parts: AsyncIterator<readonly PublishedRow[]>;
  #part: readonly PublishedRow[] = [];
  #next = 0;
  #isAtEnd = false;

  constructor(parts: RowParts) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** The row that it stands at; undefined at the end of what was read. */
  get row(): PublishedRow | undefined {
    return this.#part[this.#next];
  }

  /** Whether the next row has to be read first. */
  get isSpent(): boolean {
    return this.row === undefined && !this.#isAtEnd;
  }

  pass(): void {
    this.#next += 1;
  }

  async readOn(): Promise<void> {
    const read = await this.#parts.next();
    this.#isAtEnd = read.done === true;
    this.#part = read.done === true ? [] : read.value;
    this.#next = 0;
  }

  /** The rows from where it stands on. */
  async *rest(): AsyncGenerator<readonly PublishedRow[]> {
    yield this.#part.slice(this.#next);
    for (;;) {
      await this.readOn();
      if (this.#isAtEnd) return;
      yield this.#part;
    }
  }
}
