import { sql, type Kysely, type QueryCreator, type SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { printable } from "../base/words.js";
import { damaged, translatingErrors, unlessMissing, type Consumption } from "./consumption.js";
import {
  RUN_OUTCOMES,
  type ConsumptionDatabase,
  type ConsumptionTables,
  type PipelineRunsTable,
  type RunOutcome,
  type PublishedTables,
  type RunEvent,
  type BackfillsTable,
} from "./schema.js";

type RunStart = Pick<
  PipelineRunsTable,
  "run_id" | "execution_date" | "stages" | "started_at" | "started_by" | "sql_version" | "sql_hash"
>;
export type RunningRun = Pick<PipelineRunsTable, "run_id" | "started_at" | "started_by">;
export type RunEnd = Pick<
  PipelineRunsTable,
  "outcome" | "ended_at" | "error_code" | "error_message" | "record"
>;

/**
 * Records that a run has begun, as the latest of its date. Only the holder of the execution date's lock may call it: a run of the
 * same date that is still recorded as running has died.
 */
export function recordStart(consumption: Consumption, start: RunStart): Promise<void> {
  const { db, dialect } = consumption;
  return translatingErrors(dialect, async () => {
    await db
      .updateTable("pipeline_runs")
      .set({ outcome: "killed", ended_at: start.started_at })
      .where("execution_date", "=", start.execution_date)
      .where("outcome", "=", "running")
      .execute();
    failpoint("dead runs recorded");
    await orderEarlier(consumption, start.execution_date);
    // The same start was recorded, but its confirmation was lost.
    await db.deleteFrom("pipeline_runs").where("run_id", "=", start.run_id).execute();
    await order(consumption, start.run_id, "began");
    failpoint("start ordered");
    await db
      .insertInto("pipeline_runs")
      .values({
        ...start,
        outcome: "running",
        ended_at: null,
        error_code: null,
        error_message: null,
        record: null,
      })
      .execute();
  });
}

/** Records the progress of a run, so that the record of a killed run has it, too. */
export function recordProgress({ db, dialect }: Consumption, runId: string, record: string): Promise<void> {
  return translatingErrors(dialect, async () => {
    await db.updateTable("pipeline_runs").set({ record }).where("run_id", "=", runId).execute();
  });
}

/**
 * Checks that a run is the current one of its date. If another run of the date has begun, this run has lost its lock.
 * @throws PipelineError LOCK_LOST.
 */
export function assertRunning({ db, dialect }: Consumption, runId: string): Promise<void> {
  return translatingErrors(dialect, () => assertRunningIn(db, runId));
}

/** The same within a transaction. */
export async function assertRunningIn(db: ConsumptionDatabase, runId: string): Promise<void> {
  const run = await outcomeOf(db, runId).executeTakeFirst();
  if (run?.outcome === "running") return;
  throw new PipelineError(
    "LOCK_LOST",
    "this run lost the lock of its execution date to another run and stopped; it changed nothing after that",
  );
}

/** The query for the outcome of a run, or that it is still running. */
export function outcomeOf(
  db: ConsumptionDatabase,
  runId: string,
): SelectQueryBuilder<ConsumptionTables, "pipeline_runs", Pick<PipelineRunsTable, "outcome">> {
  return db.selectFrom("pipeline_runs").select("outcome").where("run_id", "=", runId);
}

/** The runs to read. */
export interface RunFilter {
  readonly runId?: string | undefined;
  readonly executionDate?: string | undefined;
  readonly outcome?: RunOutcome | undefined;
  /** Only runs that had this stage. */
  readonly stage?: string | undefined;
  /** Only runs after this one in the list, by its id: those that began before it. */
  readonly after?: string | undefined;
  readonly limit: number;
}

/** Recorded runs, the one that began last first; none if there was no run yet. */
export async function readRuns(
  consumption: Pick<Consumption, "db" | "dialect">,
  { runId, executionDate, outcome, stage, after, limit }: RunFilter,
): Promise<PipelineRunsTable[]> {
  const runs = await readingRuns(consumption, async (all) => {
    let some = all;
    if (runId !== undefined) some = some.where("pipeline_runs.run_id", "=", runId);
    if (executionDate !== undefined) some = some.where("execution_date", "=", executionDate);
    if (outcome !== undefined) some = some.where("outcome", "=", outcome);
    if (stage !== undefined) some = some.where("stages", "like", `%${stage}%`);
    if (after !== undefined) some = await following(some, all, after);
    return latestFirst(some, "began").selectAll("pipeline_runs").limit(limit).execute();
  });
  return (runs ?? []).map(asRecorded);
}

/** The runs after one run in the list, the latest first; all of them if that one is not recorded. */
async function following(some: OrderedRuns, all: OrderedRuns, runId: string): Promise<OrderedRuns> {
  const last = await all
    .select(["began.sequence", "started_at"])
    .where("pipeline_runs.run_id", "=", runId)
    .executeTakeFirst();
  if (last === undefined) return some;
  const { sequence, started_at } = last;
  if (sequence !== null) return some.where("began.sequence", "<", sequence);
  return some.where((where) =>
    where.or([
      where("began.sequence", "is not", null),
      where("started_at", "<", started_at),
      where.and([where("started_at", "=", started_at), where("pipeline_runs.run_id", "<", runId)]),
    ]),
  );
}

/** A run without its record, which can be long. */
export interface RunOutline extends Pick<
  PipelineRunsTable,
  "run_id" | "execution_date" | "stages" | "outcome" | "started_at" | "error_code"
> {
  /** Its place among all runs and backfills; null if it is the latest of its date and was recorded by an older version. */
  readonly sequence: number | null;
}

/**
 * Outlines of all runs, the one that began first first, by the partition keys of their execution dates. A run that is
 * recorded as running and does not hold the lock of its date counts as killed.
 */
export async function readRunOutlines(
  consumption: Consumption,
  { executionDate }: Pick<RunFilter, "executionDate"> = {},
): Promise<ReadonlyMap<string, readonly RunOutline[]>> {
  const runs = await readingRuns(consumption, (all) =>
    latestFirst(executionDate === undefined ? all : all.where("execution_date", "=", executionDate), "began")
      .select([
        "pipeline_runs.run_id",
        "execution_date",
        "stages",
        "outcome",
        "started_at",
        "error_code",
        "began.sequence",
      ])
      .execute(),
  );
  const told = await Promise.all((runs ?? []).map((run) => withDeath(consumption, asRecorded(run))));
  const byDate = new Map<string, RunOutline[]>();
  for (const run of told.reverse()) {
    const ofDate = byDate.get(run.execution_date);
    if (ofDate === undefined) byDate.set(run.execution_date, [run]);
    else ofDate.push(run);
  }
  return byDate;
}

/**
 * The run that ended last, apart from one; undefined if there was none. Cancelled runs do not count: somebody
 * cancelled them on purpose.
 */
export function lastEndedRun(
  consumption: Consumption,
  { otherThan, executionDate }: { otherThan: string; executionDate?: string },
): Promise<PipelineRunsTable | undefined> {
  return readingRuns(consumption, (all) => {
    const ended = all
      .where("pipeline_runs.run_id", "!=", otherThan)
      .where("outcome", "in", ["succeeded", "failed", "killed"]);
    const asked = executionDate === undefined ? ended : ended.where("execution_date", "=", executionDate);
    return latestFirst(asked, "ended").selectAll("pipeline_runs").limit(1).executeTakeFirst();
  });
}

/** A run with its place among all that have ended. */
interface EndedRun extends PipelineRunsTable {
  /** Null if it is the latest of its date and was recorded by an older version. */
  readonly end_sequence: number | null;
}

/**
 * The run that ended last, for each set of stages.
 * @param outcome only runs with this outcome.
 */
export async function lastRunsByStages(consumption: Consumption, outcome?: RunOutcome): Promise<EndedRun[]> {
  const runs = await readingRuns(consumption, async (all) => {
    let ended = all.where("ended_at", "is not", null);
    if (outcome !== undefined) ended = ended.where("outcome", "=", outcome);
    const sets = await ended.select("stages").distinct().orderBy("stages").execute();
    const lasts: EndedRun[] = [];
    for (const { stages } of sets) {
      const last = latestFirst(ended.where("stages", "=", stages), "ended")
        .selectAll("pipeline_runs")
        .select("ended.sequence as end_sequence");
      lasts.push(await last.limit(1).executeTakeFirstOrThrow());
    }
    return lasts;
  });
  return runs ?? [];
}

/** Runs, the latest first. A run that is recorded as running and does not hold the lock of its date is dead. */
export async function readRunHistory(
  consumption: Consumption,
  filter: RunFilter,
): Promise<PipelineRunsTable[]> {
  const runs = await readRuns(consumption, filter);
  return Promise.all(runs.map((run) => withDeath(consumption, run)));
}

async function withDeath<Run extends Pick<PipelineRunsTable, "execution_date" | "outcome">>(
  consumption: Consumption,
  run: Run,
): Promise<Run> {
  const isDead = run.outcome === "running" && !(await consumption.isLocked(run.execution_date));
  return isDead ? { ...run, outcome: "killed" as const } : run;
}

/** SQLite stores values of any type in a column. These columns of a run decide something. */
function asRecorded<
  Run extends Pick<PipelineRunsTable, "run_id" | "execution_date" | "stages" | "outcome" | "started_at">,
>(run: Run): Run {
  const { run_id, execution_date, stages, outcome, started_at } = run;
  const areTexts = [run_id, execution_date, stages, started_at].every((value) => typeof value === "string");
  if (areTexts && RUN_OUTCOMES.includes(outcome)) return run;
  throw damaged(`a run of ${printable(JSON.stringify(execution_date))} with invalid values`);
}

/** Whether a run ended badly. */
export function hasFailed({ outcome }: Pick<PipelineRunsTable, "outcome">): boolean {
  return outcome !== "succeeded" && outcome !== "running";
}

/**
 * Records the end of a run, unless another run of its date has already recorded it as lost. If others do not see a
 * success, a recorded failure replaces it.
 */
export function recordEnd(consumption: Consumption, runId: string, end: RunEnd): Promise<void> {
  const { db, dialect } = consumption;
  return translatingErrors(dialect, async () => {
    await db
      .updateTable("pipeline_runs")
      .set(end)
      .where("run_id", "=", runId)
      .where("outcome", "in", ["running", "succeeded"])
      .execute();
    await order(consumption, runId, "ended");
  });
}

/** The run of an execution date that is recorded as running, if there is one. */
export function runningRun(
  { db, dialect }: Consumption,
  executionDate: string,
): Promise<RunningRun | undefined> {
  return translatingErrors(dialect, () =>
    db
      .selectFrom("pipeline_runs")
      .select(["run_id", "started_at", "started_by"])
      .where("execution_date", "=", executionDate)
      .where("outcome", "=", "running")
      .orderBy("started_at", "desc")
      .executeTakeFirst(),
  );
}

type Database = Pick<Consumption, "db" | "dialect">;

/** Gives an event of a run or a backfill the next place in the order. Safe to repeat: the first place stays. */
async function order({ db, dialect }: Database, runId: string, event: RunEvent): Promise<void> {
  const tables = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;
  const row = { run_id: runId, event };
  await dialect.upsert(tables, { name: "run_order", key: ["run_id", "event"] }, [row]).execute();
}

/**
 * Orders the runs of an execution date that have no place yet, because an older version or a killed process did not
 * record it.
 */
async function orderEarlier(database: Database, executionDate: string): Promise<void> {
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
type OrderedRuns = ReturnType<typeof orderedRuns>;

/**
 * Reads runs in their order. If the database was not migrated yet, the clocks of the hosts decide.
 * @returns undefined if there is no table of runs yet.
 */
function readingRuns<Result>(
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
function latestFirst(runs: OrderedRuns, event: RunEvent): OrderedRuns {
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

/** The columns that identify a backfill request. */
type BackfillRequestRow = Pick<BackfillsTable, "first_date" | "last_date" | "selection" | "sql_hash">;

/** A backfill with its place among all runs and backfills; null if an older version recorded it after the migration. */
export interface OrderedBackfill extends BackfillsTable {
  readonly sequence: number | null;
}

/** The newest backfill of the same request that has dates left, or undefined if there is none. */
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

/** Records the start of a backfill. */
export function recordBackfill(
  consumption: Consumption,
  backfill: Omit<BackfillsTable, "ended_at">,
): Promise<void> {
  const { db, dialect } = consumption;
  return translatingErrors(dialect, async () => {
    // The same start was recorded, but its confirmation was lost.
    await db.deleteFrom("backfills").where("backfill_id", "=", backfill.backfill_id).execute();
    await order(consumption, backfill.backfill_id, "began");
    await db
      .insertInto("backfills")
      .values({ ...backfill, ended_at: null })
      .execute();
  });
}

/** Records that every date of a backfill ran successfully. */
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
