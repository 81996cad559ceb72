import { sql } from "kysely";
import type { ConsumptionDatabase } from "./tables.js";

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

/** Rows in parts of a size that the database takes in one statement. */
export function* inBatches<Row>(rows: readonly Row[], size: number): Generator<Row[]> {
  for (let start = 0; start < rows.length; start += size) yield rows.slice(start, start + size);
}
