import { translatingErrors, type Consumption } from "./consumption.js";
import { unlessMissing } from "./present-tables.js";
import { order } from "./run-order.js";
import type { BackfillsTable } from "./tables.js";

/** What tells one backfill from another. */
export type BackfillRequestRow = Pick<BackfillsTable, "first_date" | "last_date" | "selection" | "sql_hash">;

/** A backfill with its place among all runs and backfills; null if an older version recorded it after the migration. */
export interface OrderedBackfill extends BackfillsTable {
  readonly sequence: number | null;
}

/** The newest backfill of the same request that has dates left, or undefined where there is none. */
export async function unfinishedBackfill(
  consumption: Consumption,
  { first_date, last_date, selection, sql_hash }: BackfillRequestRow,
): Promise<OrderedBackfill | undefined> {
  return unlessMissing(consumption, ["backfills"], () =>
    consumption.db
      .selectFrom("backfills")
      .leftJoin("run_order as began", (join) =>
        join.onRef("began.run_id", "=", "backfill_id").on("began.event", "=", "began"),
      )
      .selectAll("backfills")
      .select("began.sequence")
      .where("first_date", "=", first_date)
      .where("last_date", "=", last_date)
      .where("selection", "=", selection)
      .where("sql_hash", "=", sql_hash)
      .where("ended_at", "is", null)
      .orderBy("began.sequence", "desc")
      .orderBy("started_at", "desc")
      .limit(1)
      .executeTakeFirst(),
  );
}

/** Records that a backfill has begun. */
export function recordBackfill(
  consumption: Consumption,
  backfill: Omit<BackfillsTable, "ended_at">,
): Promise<void> {
  const { db, dialect } = consumption;
  return translatingErrors(dialect, async () => {
    // Where the same start was recorded and the answer was lost on its way.
    await db.deleteFrom("backfills").where("backfill_id", "=", backfill.backfill_id).execute();
    await order(consumption, backfill.backfill_id, "began");
    await db
      .insertInto("backfills")
      .values({ ...backfill, ended_at: null })
      .execute();
  });
}

/** Records that every date of a backfill has been run, and well. */
export function recordBackfillEnd(
  { db, dialect }: Consumption,
  backfillId: string,
  endedAt: string,
): Promise<void> {
  return translatingErrors(dialect, async () => {
    await db
      .updateTable("backfills")
      .set({ ended_at: endedAt })
      .where("backfill_id", "=", backfillId)
      .execute();
  });
}
