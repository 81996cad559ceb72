import { createHash } from "node:crypto";
import type { Kysely } from "kysely";
import type { Publication } from "../voucher/publication.js";
import { translatingErrors, type Consumption, type Dialect, type Query } from "./consumption.js";
import type { RowParts } from "./differences.js";
import { unlessMissing } from "./present-tables.js";
import type { ConsumptionDatabase, PublishedRow, PublishedRowsTable, PublishedTables } from "./tables.js";

/** The rows of a table for an execution date, in one hash. */
export class RowsHash {
  readonly #columns: readonly string[];
  readonly #hash = createHash("sha256");
  #count = 0;

  /** @param columns of the table, in any order. */
  constructor(columns: readonly string[]) {
    this.#columns = columns.toSorted();
  }

  /** How many rows were added so far. */
  get count(): number {
    return this.#count;
  }

  /** Passes rows on, which must come in the order of the table's key, and takes them into the hash. */
  async *through(parts: RowParts): AsyncGenerator<readonly PublishedRow[]> {
    for await (const rows of parts) {
      this.add(rows);
      yield rows;
    }
  }

  add(rows: readonly PublishedRow[]): void {
    const lines = rows.map((row) => JSON.stringify(this.#columns.map((column) => row[column] ?? null)));
    if (rows.length > 0) this.#hash.update(`${lines.join("\n")}\n`);
    this.#count += rows.length;
  }

  /** SHA-256; nothing can be added after it. */
  digest(): string {
    return this.#hash.digest("hex");
  }
}

/** The query that records what tables hold for an execution date, so that it can be compared later. */
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

/** What the tables of a publication held when it was published; none where a version has published it that kept no record of it. */
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
