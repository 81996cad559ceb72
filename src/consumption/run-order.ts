import { sql, type Kysely, type QueryCreator } from "kysely";
import type { Consumption } from "./consumption.js";
import { unlessMissing } from "./present-tables.js";
import type { ConsumptionTables, PublishedTables, RunEvent } from "./tables.js";

type Database = Pick<Consumption, "db" | "dialect">;

/** Gives an event of a run or a backfill the next place in the order. Safe to repeat: the first place stays. */
export async function order({ db, dialect }: Database, runId: string, event: RunEvent): Promise<void> {
  const tables = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
  const row = { run_id: runId, event };
  await dialect.upsert(tables, { name: "run_order", key: ["run_id", "event"] }, [row]).execute();
}

/** Orders the runs of an execution date that have no place yet, because an older version or a killed process left it out. */
export async function orderEarlier(database: Database, executionDate: string): Promise<void> {
  const runs = await orderedRuns(database.db)
    .select(["pipeline_runs.run_id", "ended_at", "began.sequence as began", "ended.sequence as ended"])
    .where("execution_date", "=", executionDate)
    .where((where) =>
      where.or([
        where("began.sequence", "is", null),
        where.and([where("ended_at", "is not", null), where("ended.sequence", "is", null)]),
      ]),
    )
    .orderBy("started_at")
    .orderBy("pipeline_runs.run_id")
    .execute();
  for (const { run_id, began, ended, ended_at } of runs) {
    if (began === null) await order(database, run_id, "began");
    if (ended_at !== null && ended === null) await order(database, run_id, "ended");
  }
}

/** Runs with their places in the order in which they began and ended. */
export type OrderedRuns = ReturnType<typeof orderedRuns>;

/**
 * Reads runs in their order. If the database was not migrated yet, the clocks of the hosts decide.
 * @returns undefined if there is no table of runs yet.
 */
export function readingRuns<Result>(
  { db, dialect }: Database,
  read: (runs: OrderedRuns) => Promise<Result>,
): Promise<Result | undefined> {
  return unlessMissing({ db, dialect }, ["pipeline_runs"], async () => {
    const ordered = await unlessMissing({ db, dialect }, ["run_order"], async () => ({
      result: await read(orderedRuns(db)),
    }));
    return ordered === undefined ? read(orderedRuns(withEmptyOrder(db))) : ordered.result;
  });
}

/** Orders runs, the latest first: those without a place are the latest of all. */
export function latestFirst(runs: OrderedRuns, event: RunEvent): OrderedRuns {
  return runs
    .orderBy(sql`${sql.ref(`${event}.sequence`)} IS NULL`, "desc")
    .orderBy(`${event}.sequence`, "desc")
    .orderBy(event === "began" ? "started_at" : "ended_at", "desc")
    .orderBy("pipeline_runs.run_id", "desc");
}

function orderedRuns(db: QueryCreator<ConsumptionTables>) {
  return db
    .selectFrom("pipeline_runs")
    .leftJoin("run_order as began", (join) =>
      join.onRef("began.run_id", "=", "pipeline_runs.run_id").on("began.event", "=", "began"),
    )
    .leftJoin("run_order as ended", (join) =>
      join.onRef("ended.run_id", "=", "pipeline_runs.run_id").on("ended.event", "=", "ended"),
    );
}

function withEmptyOrder(db: QueryCreator<ConsumptionTables>): QueryCreator<ConsumptionTables> {
  return db.with("run_order", (inner) =>
    inner
      .selectFrom("pipeline_runs")
      .select([sql<number>`0`.as("sequence"), "run_id", sql<RunEvent>`'began'`.as("event")])
      .where(sql<boolean>`1 = 0`),
  );
}
