import type { UpdateQueryBuilder, UpdateResult } from "kysely";
import type { Query } from "./consumption.js";
import type { ConsumptionDatabase, ConsumptionTables } from "./tables.js";

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
