import { sql, type Compilable, type CompiledQuery, type UpdateQueryBuilder, type UpdateResult } from "kysely";
import type { Query } from "./consumption.js";
import type { ConsumptionDatabase, ConsumptionTables, PublishedRow } from "./schema.js";

/**
 * Waits in a transaction until no other one changes the publications. It must be the first statement, and it writes.
 * A transaction that reads first can deadlock, or read rows that another one is writing.
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

/** The query that creates the line if it does not exist yet. */
export function firstTurn(db: ConsumptionDatabase): Query {
  return db.insertInto("publish_lock").values({ id: 1, publishes: 1 });
}

/**
 * Does all of some work or nothing of it.
 * @param begin the first statement of the transaction.
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
      // A full disk or a lost connection has already ended the transaction. The first error is the one to report.
      await sql`ROLLBACK`.execute(connection).catch(() => undefined);
      throw error;
    }
  });
}

/** Writes rows, many in one statement. */
interface BatchStatement {
  /** How many rows the database takes in one statement. */
  readonly size: number;
  readonly of: (rows: readonly PublishedRow[]) => Compilable;
  /** The columns of a row in the statement, in their order there. */
  readonly columns: readonly string[];
}

/**
 * Collects rows, and writes them in batches. It builds the statement of a full batch once, and collects the next
 * batch while the database writes.
 */
export class Batches {
  readonly #db: Pick<ConsumptionDatabase, "executeQuery">;
  readonly #statement: BatchStatement;
  #full: CompiledQuery | undefined;
  #rows: PublishedRow[] = [];
  #count = 0;
  #written: Promise<unknown> = Promise.resolve();

  constructor(db: Pick<ConsumptionDatabase, "executeQuery">, statement: BatchStatement) {
    this.#db = db;
    this.#statement = statement;
  }

  /** The number of rows so far. */
  get count(): number {
    return this.#count;
  }

  async add(rows: readonly PublishedRow[]): Promise<void> {
    this.#count += rows.length;
    for (const row of rows) {
      this.#rows.push(row);
      if (this.#rows.length === this.#statement.size) await this.#write();
    }
  }

  /** Writes the rows that were collected since the last batch. */
  async end(): Promise<void> {
    if (this.#rows.length > 0) await this.#write();
    await this.#written;
  }

  async #write(): Promise<void> {
    await this.#written;
    const { size, of, columns } = this.#statement;
    const rows = this.#rows;
    this.#rows = [];
    const query = rows.length < size ? of(rows).compile() : (this.#full ??= of(rows).compile());
    const parameters: unknown[] = [];
    for (const row of rows) for (const column of columns) parameters.push(row[column]);
    this.#written = this.#db.executeQuery({ ...query, parameters });
    // The next write receives a failure.
    this.#written.catch(() => undefined);
  }
}
