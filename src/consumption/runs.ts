import type { SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { printable } from "../base/printable.js";
import { damaged, translatingErrors, type Consumption } from "./consumption.js";
import { latestFirst, order, orderEarlier, readingRuns } from "./run-order.js";
import {
  RUN_OUTCOMES,
  type ConsumptionDatabase,
  type ConsumptionTables,
  type PipelineRunsTable,
  type RunOutcome,
} from "./tables.js";

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
    // Where the same start was recorded and the answer was lost on its way.
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

/** Runs as they are recorded, the one that began last first; none where there was no run yet. */
export async function readRuns(
  consumption: Pick<Consumption, "db" | "dialect">,
  { runId, executionDate, outcome, stage, limit }: RunFilter,
): Promise<PipelineRunsTable[]> {
  const runs = await readingRuns(consumption, (all) => {
    let some = all;
    if (runId !== undefined) some = some.where("pipeline_runs.run_id", "=", runId);
    if (executionDate !== undefined) some = some.where("execution_date", "=", executionDate);
    if (outcome !== undefined) some = some.where("outcome", "=", outcome);
    if (stage !== undefined) some = some.where("stages", "like", `%${stage}%`);
    return latestFirst(some, "began").selectAll("pipeline_runs").limit(limit).execute();
  });
  return (runs ?? []).map(asRecorded);
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
 * Outlines of all runs, the one that began first first, by the partition keys of their execution dates. A run that is recorded as
 * running and does not hold the lock of its date is told as killed.
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
 * The run that ended last, apart from one; undefined where there was none. Runs that were cancelled do not count: somebody has
 * wanted that.
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
export interface EndedRun extends PipelineRunsTable {
  /** Null if it is the latest of its date and was recorded by an older version. */
  readonly end_sequence: number | null;
}

/**
 * Of each set of stages the run that ended last.
 * @param outcome only those that ended in this way.
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

/** Runs, the latest first, where one that is recorded as running and does not hold the lock of its date has died. */
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

/** SQLite keeps values of any type in a column. Of a run these decide something. */
function asRecorded<
  Run extends Pick<PipelineRunsTable, "run_id" | "execution_date" | "stages" | "outcome" | "started_at">,
>(run: Run): Run {
  const { run_id, execution_date, stages, outcome, started_at } = run;
  const areTexts = [run_id, execution_date, stages, started_at].every((value) => typeof value === "string");
  if (areTexts && RUN_OUTCOMES.includes(outcome)) return run;
  throw damaged(`a run of ${printable(JSON.stringify(execution_date))} with values that no run has written`);
}

/** Whether a run has come to no good end. */
export function hasFailed({ outcome }: Pick<PipelineRunsTable, "outcome">): boolean {
  return outcome !== "succeeded" && outcome !== "running";
}

/**
 * Records how a run ended, unless another run of its date has already found that it was lost. A success that others do not see is
 * taken back by recording a failure.
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
