import { randomBytes } from "node:crypto";
import { cancelled } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { faultOfWork } from "../base/machine-faults.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption } from "../consumption/open-consumption.js";
import type { Builder } from "../engine/builder.js";
import type { Engine } from "../engine/duckdb/duckdb-engine.js";
import { startDuckDb, type StartingDuckDb } from "../engine/duckdb/duckdb.js";
import { loadSqlVersion } from "../models/load.js";
import type { WithNewEngine } from "../raw/inspect-raw.js";
import type { InputFile, OutputTable, RunReport } from "../record/run-record.js";
import type { Stage } from "../record/stages.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { openZones, lookingOnce } from "../zones/open-zones.js";
import type { RunActivity } from "./activity.js";
import { RunJournal } from "./activity.js";
import { buildModels, hashAtRest, type Built } from "./build.js";
import { withCommitted, type StagedPartition } from "./commit.js";
import type { Gate, RawInput, RawSource, RunContext } from "./context.js";
import { assertWrittenByRuns } from "./date-runs.js";
import { explainedByRows } from "./failed-rows.js";
import { compareAnswers, holdToGate } from "./gate.js";
import { planHash, planRun, stepsOfStages } from "./plan.js";
import { assertVersionKept, preparePublish } from "./publish.js";
import { noteColumns, noteIgnored, noteOffCluster, noteSameBytes } from "./raw-findings.js";
import { planInput, rawZone, readingUnchanged } from "./raw-input.js";
import { beginRecord, type OpenRecord } from "./record.js";
import { openBuilder, reachOf, runEngines, runSession } from "./run-engine.js";
import { assertUnchallenged, withRunLock } from "./run-lock.js";
import { clearStaging, keepStaged, sweepAll, sweepKept, sweepOwn } from "./staging.js";
import { traced, traceIdOf } from "./tracing.js";

export interface RunRequest {
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
  /** How long to wait for another run of the date that is in progress. */
  readonly waitMilliseconds: number;
  /** Whether a failed run keeps its staged files for inspection. */
  readonly keepStaged: boolean;
  /** The limit for changed answers; undefined for no limit. */
  readonly gate?: Gate | undefined;
  /** Whether it may replace a publication of another SQL version; default: no. */
  readonly replacesVersion?: boolean | undefined;
  /** The source of its raw vouchers; the raw zone by default. */
  readonly raw?: RawSource;
}

/**
 * Runs stages of the pipeline for one execution date. Readers of the zones and of the consumption database see the
 * old state or the complete new state. Safe to repeat; it changes no other execution date.
 * @param signal cancels the run, which then changes nothing.
 * @param activity receives the progress of the run.
 * @throws PipelineError for every fault that is not a bug.
 */
export async function runPipeline(
  settings: Settings,
  request: RunRequest,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<RunReport> {
  const { executionDate, stages } = request;
  const runId = `${executionDate.partitionKey}-${randomBytes(6).toString("hex")}`;
  const traceId = traceIdOf(settings);
  activity.isOf({ run: runId, execution_date: executionDate.iso, trace_id: traceId });
  const attributes = {
    "voucher.run_id": runId,
    "voucher.execution_date": executionDate.iso,
    "voucher.stages": stages.join(","),
    "voucher.sql_version": settings.sqlVersion,
  };
  return traced(settings, traceId, activity, { name: "pipeline run", attributes }, () =>
    runUntraced(settings, request, { runId, traceId }, signal, activity),
  );
}

async function runUntraced(
  settings: Settings,
  request: RunRequest,
  { runId, traceId }: { readonly runId: string; readonly traceId: string | undefined },
  signal: AbortSignal,
  activity: RunActivity,
): Promise<RunReport> {
  const { executionDate, stages } = request;
  const zones = lookingOnce(await openZones(settings, signal));
  // The engine starts while this process reads the SQL and opens the database.
  const starting = startDuckDb(runSession({ settings, signal, zones }, activity.warn));
  try {
    const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
    const consumption = await activity.during("opening the database", () =>
      openConsumption(settings.consumptionUrl, signal),
    );
    try {
      failpoint("database opened");
      await activity.during("migrating the database", () => migrate(consumption, signal));
      failpoint("database migrated");
      const journal = new RunJournal(
        {
          run_id: runId,
          execution_date: executionDate.iso,
          stages,
          sql_version: version.name,
          sql_hash: version.hash,
          max_rejected_share: settings.maxRejectedShare,
          ...(traceId !== undefined && { trace_id: traceId }),
        },
        activity,
      );
      const unlocked = {
        executionDate,
        stages,
        gate: request.gate,
        replacesVersion: request.replacesVersion ?? false,
        raw: request.raw ?? rawZone,
        runId,
        traceId,
        settings,
        version,
        zones,
        consumption,
        signal,
        activity,
        journal,
      };
      return await withRunLock(unlocked, request.waitMilliseconds, (lock) =>
        runLocked({ ...unlocked, lock }, starting, request.keepStaged),
      );
    } finally {
      await consumption.close();
    }
  } finally {
    await starting.close();
    zones.close();
  }
}

/**
 * The work of a run under the lock of its date. The run is recorded, and leaves nothing in staging, whatever its
 * outcome.
 */
async function runLocked(
  context: RunContext,
  starting: StartingDuckDb,
  keepsStaged: boolean,
): Promise<RunReport> {
  failpoint("lock taken");
  const record = await beginRecord(context);
  try {
    await clearStaging(context);
    await assertVersionKept(context);
    let sweep = sweepOwn;
    try {
      await doStages(context, starting, record);
      await sweepKept(context);
      sweep = sweepAll;
    } catch (error) {
      const fault = faultOfWork(context.signal, error);
      throw keepsStaged ? await keepStaged(context, fault) : fault;
    } finally {
      await sweep(context);
    }
  } catch (error) {
    throw await record.fail(error);
  }
  return record.end();
}

/** Finds the raw files, builds the models of the stages, commits them, and publishes them. */
async function doStages(context: RunContext, starting: StartingDuckDb, record: OpenRecord): Promise<void> {
  const { activity, journal, raw, stages } = context;
  const inputs = stages.includes("curate") ? await raw.find(context) : [];
  noteIgnored(context, inputs);
  failpoint("raw files found");
  const reach = await reachOf(context, inputs);
  const engine = await starting.confine(reach);
  failpoint("engine started");
  const copies = engine.folder === undefined ? [] : [engine.folder];
  const withNewEngine = runEngines(runSession(context, activity.warn), {
    ...reach,
    directories: [...reach.directories, ...copies],
  });
  const { builder, close } = await openBuilder(context, engine);
  try {
    const files = inputs.flatMap((input) => input.files);
    journal.note({
      engine: builder.version,
      inputs: files.map(({ path, bytes, version }) => ({ path, bytes, version })),
    });
    const { built, hashed } = await readingUnchanged(
      context,
      inputs,
      () => buildStages(context, { engine, builder, withNewEngine }, inputs, record),
      raw.stateOf,
    );
    const atRest = await hashAtRest(built.atRest);
    await assertWrittenByRuns(context, atRest);
    noteSameBytes(context, hashed);
    const tables = built.staged.map(outputTable);
    journal.note({ inputs: hashed, at_rest: atRest, measures: built.measures, tables });
    await makeVisible(context, engine, built.staged, record);
  } finally {
    await close();
  }
}

/** The engines of a run. */
interface Engines {
  /** Reads raw files, and the rows to publish. */
  readonly engine: Engine;
  readonly builder: Builder;
  /** Opens an engine for the search for faults. */
  readonly withNewEngine: WithNewEngine;
}

/** Stages and audits every model of the stages, while the raw files are hashed. */
async function buildStages(
  context: RunContext,
  { engine, builder, withNewEngine }: Engines,
  inputs: readonly RawInput[],
  record: OpenRecord,
): Promise<{ readonly built: Built; readonly hashed: readonly InputFile[] }> {
  const { activity, journal, raw, stages, version, zones } = context;
  activity.percent = () => engine.progress();
  const hashing = raw.inputFiles(zones.raw, inputs);
  // The later `await` receives a failure.
  hashing.catch(() => undefined);
  try {
    const rawParts = await activity.during("raw files", () =>
      raw.inspect(context, engine, inputs, withNewEngine),
    );
    failpoint("raw files inspected");
    await noteColumns(context, rawParts.columns);
    noteOffCluster(context, [...rawParts.byModel.values()].flat());
    const plan = planRun(version, planInput(context, rawParts.byModel));
    journal.note({ rendered_sql_hash: planHash(plan) });
    await record.save();
    const steps = stepsOfStages(plan, stages);
    const built = await buildModels({ ...context, builder, raw: rawParts }, plan, steps);
    return { built, hashed: await hashing };
  } catch (error) {
    // The hashing may not outlive the run.
    await Promise.allSettled([hashing]);
    throw await explainedByRows(context, builder, error);
  }
}

/**
 * Commits the models, publishes them, and records the success. If anything fails, or others do not see it, the zones
 * return to their old state.
 */
async function makeVisible(
  context: RunContext,
  engine: Engine,
  staged: readonly StagedPartition[],
  record: OpenRecord,
): Promise<void> {
  const { activity, journal, signal, stages } = context;
  const publishing = stages.includes("publish")
    ? await preparePublish(context, engine, staged.map(outputTable))
    : undefined;
  await record.save();
  failpoint("all prepared");
  if (publishing !== undefined) holdToGate(context, await compareAnswers(context, publishing));
  if (signal.aborted) throw cancelled(signal);
  await assertUnchallenged(context);
  await activity.during("commit", () =>
    withCommitted(context, staged, async () => {
      if (publishing !== undefined) journal.note({ published: await publishing.publish() });
      try {
        await record.succeed(publishing?.publication);
      } catch (error) {
        journal.note({ published: null });
        throw error;
      }
    }),
  );
}

function outputTable({ model, uri, files, rows, bytes, sha256 }: StagedPartition): OutputTable {
  return { model: model.name, uri, files, rows, bytes, sha256 };
}
