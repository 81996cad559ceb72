import { sql, type UpdateQueryBuilder, type UpdateResult } from "kysely";
import type { Query } from "./consumption.js";
import type { ConsumptionDatabase, ConsumptionTables } from "./schema.js";

/**
 * Waits in a transaction until no other one changes what is published. It is the first statement, and it writes: a transaction that
 * reads first can deadlock, and can read what another is writing.
 */
export async function standInLine(transaction: ConsumptionDatabase): Promise<void> {
  const updated = await turn(transaction).executeTakeFirst();
  if (updated.numUpdatedRows === 0n) await firstTurn(transaction).execute();
}

/** The query that stands in line. */
export function turn(
  db: ConsumptionDatabase,
): UpdateQueryBuilder<ConsumptionTables, "publish_lock", "publish_lock", UpdateResult> {
  return db
    .updateTable("publish_lock")
    .set((set) => ({ publishes: set("publishes", "+", 1) }))
    .where("id", "=", 1);
}

/** The query that makes the line, where the other one finds none. */
export function firstTurn(db: ConsumptionDatabase): Query {
  return db.insertInto("publish_lock").values({ id: 1, publishes: 1 });
}

/**
 * Does all of some work or nothing of it.
 * @param begin the statement that the transaction begins with.
 */
export function inTransaction<Result>(
  db: ConsumptionDatabase,
  begin: string,
  work: (db: ConsumptionDatabase) => Promise<Result>,
): Promise<Result> {
  return db.connection().execute(async (connection) => {
    await sql.raw(begin).execute(connection);
    try {
      const result = await work(connection);
      await sql`COMMIT`.execute(connection);
      return result;
    } catch (error) {
      // A full disk or a lost connection has ended the transaction already. The fault to tell is the first one.
      await sql`ROLLBACK`.execute(connection).catch(() => undefined);
      throw error;
    }
  });
}

/** Gathers rows, and writes them in batches of a size that the database takes in one statement. */
export class Batches<Row> {
  readonly #size: number;
  readonly #write: (rows: readonly Row[]) => Promise<unknown>;
  #rows: Row[] = [];
  #count = 0;

  constructor(size: number, write: (rows: readonly Row[]) => Promise<unknown>) {
    this.#size = size;
    this.#write = write;
  }

  /** How many rows there were by now. */
  get count(): number {
    return this.#count;
  }

  async add(row: Row): Promise<void> {
    this.#rows.push(row);
    this.#count += 1;
    if (this.#rows.length === this.#size) await this.end();
  }

  /** Writes what has been gathered since the last batch. */
  async end(): Promise<void> {
    const rows = this.#rows;
    this.#rows = [];
    if (rows.length > 0) await this.#write(rows);
  }
}
