import { createHash } from "node:crypto";
import { sql, type Kysely, type RawBuilder } from "kysely";
import { compareCodePoints } from "../base/words.js";
import type { Publication } from "../voucher/publication-identity.js";
import {
  translatingErrors,
  unlessMissing,
  type Consumption,
  type Dialect,
  type PublishedTable,
  type Query,
} from "./consumption.js";
import type {
  ConsumptionDatabase,
  PublishedRow,
  PublishedRowsTable,
  PublishedTables,
  PublishedValue,
} from "./schema.js";

/** The values of a row's key, in the key's order, without the execution date. */
export type RowKey = readonly PublishedValue[];

/** The columns that identify the rows of one execution date. */
export function withinDate(key: readonly string[]): string[] {
  return key.filter((column) => column !== "execution_date");
}

export function keyOf(row: PublishedRow, key: readonly string[]): RowKey {
  return key.map((column) => row[column] ?? null);
}

/** Whether a row's key comes after another one. */
export function follows(key: readonly string[], after: RowKey): RawBuilder<boolean> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const values = sql.join(after.map((value) => sql.val(value)));
  // MySQL finds no place in an index with a comparison of several columns: it would read all rows from the start.
  return sql<boolean>`(${sql.ref(key[0] ?? "")} >= ${after[0] ?? null} and (${columns}) > (${values}))`;
}

/** Orders rows by their keys as the databases and DuckDB do: texts by their code points. */
function compareKeys(a: PublishedRow, b: PublishedRow, key: readonly string[]): number {
  for (const column of key) {
    const order = compareValues(a[column] ?? null, b[column] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: PublishedValue, b: PublishedValue): number {
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareCodePoints(String(a), String(b));
}

/** The maximum number of differences in one part. */
const DIFFERENCES_AT_A_TIME = 2_000;

/** Rows of a table in the order of its key, in parts: all of them can be larger than the memory. */
export type RowParts = AsyncIterable<readonly PublishedRow[]>;

/** Reads the next part of the rows while the caller works on the current one. */
export async function* readAhead(parts: RowParts): AsyncGenerator<readonly PublishedRow[]> {
  const iterator = parts[Symbol.asyncIterator]();
  const readOn = () => {
    const reading = iterator.next();
    // The reader of these rows receives a failure.
    reading.catch(() => undefined);
    return reading;
  };
  try {
    for (let reading = readOn(); ;) {
      const read = await reading;
      if (read.done === true) return;
      reading = readOn();
      yield read.value;
    }
  } finally {
    await iterator.return?.();
  }
}

/** A row that differs from the wanted one. */
export interface Difference {
  /** The wanted row; undefined if there should be none with its key. */
  readonly wanted: PublishedRow | undefined;
  /** The present row; undefined if there is none with its key. */
  readonly present: PublishedRow | undefined;
}

/** Compares the wanted rows with the present ones, and holds one part of each in memory. */
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

/** Reads rows that arrive in parts, one by one. */
class RowCursor {
  readonly #parts: AsyncIterator<readonly PublishedRow[]>;
  #part: readonly PublishedRow[] = [];
  #next = 0;
  #isAtEnd = false;

  constructor(parts: RowParts) {
    this.#parts = parts[Symbol.asyncIterator]();
  }

  /** The current row; undefined at the end of the part. */
  get row(): PublishedRow | undefined {
    return this.#part[this.#next];
  }

  /** Whether the next part must be read first. */
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

  /** The rows from the current one to the end. */
  async *rest(): AsyncGenerator<readonly PublishedRow[]> {
    yield this.#part.slice(this.#next);
    for (;;) {
      await this.readOn();
      if (this.#isAtEnd) return;
      yield this.#part;
    }
  }
}

/** The rows of a table for an execution date, in one hash. */
export class RowsHash {
  readonly #columns: readonly string[];
  readonly #hash = createHash("sha256");
  /** The values of the last row, and in JSON: in the order of the key most of a row's values are those of the row before. */
  readonly #last: PublishedValue[] = [];
  readonly #inJson: string[] = [];
  #count = 0;

  /** @param columns of the table, in any order. */
  constructor(columns: readonly string[]) {
    this.#columns = columns.toSorted();
  }

  /** How many rows were added so far. */
  get count(): number {
    return this.#count;
  }

  /** Adds rows to the hash and passes them on. They must be in the order of the table's key. */
  async *through(parts: RowParts): AsyncGenerator<readonly PublishedRow[]> {
    for await (const rows of parts) {
      this.add(rows);
      yield rows;
    }
  }

  add(rows: readonly PublishedRow[]): void {
    const lines = rows.map((row) => {
      for (const [place, column] of this.#columns.entries()) {
        const value = row[column] ?? null;
        if (value === this.#last[place]) continue;
        this.#last[place] = value;
        this.#inJson[place] = typeof value === "number" ? value.toString() : JSON.stringify(value);
      }
      return `[${this.#inJson.join()}]\n`;
    });
    this.#hash.update(lines.join(""));
    this.#count += rows.length;
  }

  /** SHA-256; nothing can be added after it. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** The hash of a table's rows, which must come in the order of its key. */
export async function hashOf({ columns }: PublishedTable, parts: RowParts): Promise<string> {
  const hash = new RowsHash(columns.map(({ name }) => name));
  for await (const rows of parts) hash.add(rows);
  return hash.digest();
}

/** The query that records the rows of tables for an execution date, for a later comparison. */
export function recordOfRows(
  db: ConsumptionDatabase,
  dialect: Dialect,
  rows: readonly PublishedRowsTable[],
): Query {
  const tables = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
  return dialect.upsert(
    tables,
    { name: "published_rows", key: ["execution_date", "table_name"] },
    rows.map((row) => ({ ...row })),
  );
}

/**
 * The recorded rows of a publication's tables at the time of the publish; none if an older version published it
 * without a record.
 */
export async function readRecordsOfRows(
  consumption: Consumption,
  { executionDate, dataHash }: Publication,
): Promise<PublishedRowsTable[]> {
  const records = consumption.db
    .selectFrom("published_rows")
    .selectAll()
    .where("execution_date", "=", executionDate.partitionKey)
    .where("data_hash", "=", dataHash);
  return (await unlessMissing(consumption, ["published_rows"], () => records.execute())) ?? [];
}

/** How many rows a published table has for each execution date; none if it is missing or has no such column. */
export async function countRowsByDate(
  { db, dialect }: Consumption,
  table: string,
): Promise<ReadonlyMap<string, number>> {
  const tables = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
  return translatingErrors(dialect, async () => {
    const present = (await db.introspection.getTables()).find(({ name }) => name === table);
    if (!present?.columns.some(({ name }) => name === "execution_date")) return new Map();
    const counts = await tables
      .selectFrom(table)
      .select(["execution_date", ({ fn }) => fn.countAll().as("row_count")])
      .groupBy("execution_date")
      .orderBy("execution_date")
      .execute();
    return new Map(counts.map((row) => [String(row.execution_date), Number(row.row_count)]));
  });
}
