import type { ConsumptionDatabase } from "./tables.js";

/**
 * Waits in a transaction until no other one changes what is published. It is the first statement, and it writes: a transaction that
 * reads first can deadlock, and can read what another is writing.
 */
export async function standInLine(transaction: ConsumptionDatabase): Promise<void> {
  const updated = await transaction
    .updateTable("publish_lock")
    .set((set) => ({ publishes: set("publishes", "+", 1) }))
    .where("id", "=", 1)
    .executeTakeFirst();
  if (updated.numUpdatedRows === 0n) {
    await transaction.insertInto("publish_lock").values({ id: 1, publishes: 1 }).execute();
  }
}
