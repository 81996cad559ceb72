import type { SelectQueryBuilder } from "kysely";
import { PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { translatingErrors, type Consumption } from "./consumption.js";
import { unlessMissing } from "./present-tables.js";
import type { ConsumptionDatabase, ConsumptionTables, PipelineRunsTable, RunOutcome } from "./tables.js";

export type RunStart = Pick<
  PipelineRunsTable,
  "run_id" | "execution_date" | "stages" | "started_at" | "started_by" | "sql_version" | "sql_hash"
>;
export type RunningRun = Pick<PipelineRunsTable, "run_id" | "started_at" | "started_by">;
export type RunEnd = Pick<
  PipelineRunsTable,
  "outcome" | "ended_at" | "error_code" | "error_message" | "record"
>;

/**
 * Records that a run has begun. Only the holder of the execution date's lock may call it: a run of the same date that
 * is still recorded as running has died.
 */
export function recordStart({ db, dialect }: Consumption, start: RunStart): Promise<void> {
  return translatingErrors(dialect, async () => {
    await db
      .updateTable("pipeline_runs")
      .set({ outcome: "killed", ended_at: start.started_at })
      .where("execution_date", "=", start.execution_date)
      .where("outcome", "=", "running")
      .execute();
    failpoint("dead runs recorded");
    // Where the same start was recorded and the answer was lost on its way.
    await db.deleteFrom("pipeline_runs").where("run_id", "=", start.run_id).execute();
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

/** Records what is known of a run that is under way, so that it is known of one that dies, too. */
export function recordProgress({ db, dialect }: Consumption, runId: string, record: string): Promise<void> {
  return translatingErrors(dialect, async () => {
    await db.updateTable("pipeline_runs").set({ record }).where("run_id", "=", runId).execute();
  });
}

/**
 * Makes sure that a run is the one that is under way. It is not any more once another run of its date has begun, which can
 * only be where its lock was lost.
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
    "the lock of the execution date was lost, and another run has begun meanwhile; this one has changed nothing more",
  );
}

/** The query for how a run has ended, or that it has not. */
export function outcomeOf(
  db: ConsumptionDatabase,
  runId: string,
): SelectQueryBuilder<ConsumptionTables, "pipeline_runs", Pick<PipelineRunsTable, "outcome">> {
  return db.selectFrom("pipeline_runs").select("outcome").where("run_id", "=", runId);
}

/** Which runs to read. */
export interface RunFilter {
  readonly runId?: string | undefined;
  readonly executionDate?: string | undefined;
  readonly outcome?: RunOutcome | undefined;
  /** Only runs that had this stage. */
  readonly stage?: string | undefined;
  readonly limit: number;
}

/** Runs as they are recorded, the latest first; none where there was no run yet. */
export async function readRuns(
  { db, dialect }: Consumption,
  { runId, executionDate, outcome, stage, limit }: RunFilter,
): Promise<PipelineRunsTable[]> {
  let query = db.selectFrom("pipeline_runs").selectAll();
  if (runId !== undefined) query = query.where("run_id", "=", runId);
  if (executionDate !== undefined) query = query.where("execution_date", "=", executionDate);
  if (outcome !== undefined) query = query.where("outcome", "=", outcome);
  if (stage !== undefined) query = query.where("stages", "like", `%${stage}%`);
  const latest = query.orderBy("started_at", "desc").orderBy("run_id").limit(limit);
  return (await unlessMissing({ db, dialect }, ["pipeline_runs"], () => latest.execute())) ?? [];
}

/**
 * The run that ended last, apart from one; undefined where there was none. Runs that were cancelled do not count: somebody has
 * wanted that.
 */
export function lastEndedRun(
  { db, dialect }: Consumption,
  { otherThan, executionDate }: { otherThan: string; executionDate?: string },
): Promise<PipelineRunsTable | undefined> {
  return translatingErrors(dialect, () => {
    const ended = db
      .selectFrom("pipeline_runs")
      .selectAll()
      .where("run_id", "!=", otherThan)
      .where("outcome", "in", ["succeeded", "failed", "killed"]);
    const asked = executionDate === undefined ? ended : ended.where("execution_date", "=", executionDate);
    return asked.orderBy("ended_at", "desc").limit(1).executeTakeFirst();
  });
}

/**
 * Of each set of stages the run that ended last.
 * @param outcome only those that ended in this way.
 */
export function lastRunsByStages(
  { db, dialect }: Consumption,
  outcome?: RunOutcome,
): Promise<PipelineRunsTable[]> {
  return translatingErrors(dialect, async () => {
    let ended = db.selectFrom("pipeline_runs").where("ended_at", "is not", null);
    if (outcome !== undefined) ended = ended.where("outcome", "=", outcome);
    const lasts = await ended
      .select(({ fn }) => ["stages", fn.max("ended_at").as("last_end")])
      .groupBy("stages")
      .orderBy("stages")
      .execute();
    const runs: PipelineRunsTable[] = [];
    for (const { stages, last_end } of lasts) {
      const last = ended.where("stages", "=", stages).where("ended_at", "=", last_end);
      runs.push(await last.selectAll().orderBy("run_id", "desc").limit(1).executeTakeFirstOrThrow());
    }
    return runs;
  });
}

/** Runs, the latest first, where one that is recorded as running and does not hold the lock of its date has died. */
export async function readRunHistory(
  consumption: Consumption,
  filter: RunFilter,
): Promise<PipelineRunsTable[]> {
  const runs = await readRuns(consumption, filter);
  return Promise.all(
    runs.map(async (run) => {
      const isDead = run.outcome === "running" && !(await consumption.isLocked(run.execution_date));
      return isDead ? { ...run, outcome: "killed" as const } : run;
    }),
  );
}

/** Whether a run has come to no good end. */
export function hasFailed({ outcome }: Pick<PipelineRunsTable, "outcome">): boolean {
  return outcome !== "succeeded" && outcome !== "running";
}

/** Records how a run ended, unless another run of its date has already found that it was lost. */
export function recordEnd({ db, dialect }: Consumption, runId: string, end: RunEnd): Promise<void> {
  return translatingErrors(dialect, async () => {
    await db
      .updateTable("pipeline_runs")
      .set(end)
      .where("run_id", "=", runId)
      .where("outcome", "=", "running")
      .execute();
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
