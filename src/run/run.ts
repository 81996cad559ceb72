import { randomBytes } from "node:crypto";
import { allEnded } from "../base/concurrency.js";
import { cancelled } from "../base/errors.js";
import { armFailpoint, failpoint } from "../base/failpoints.js";
import { faultOfWork } from "../base/machine-faults.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption } from "../consumption/open.js";
import { recordProgress } from "../consumption/runs.js";
import type { Builder } from "../engine/builder.js";
import { startDuckDb, type StartingDuckDb } from "../engine/duckdb.js";
import type { Engine } from "../engine/engine.js";
import { loadSqlVersion } from "../models/load.js";
import type { WithNewEngine } from "../raw/inspect.js";
import type { OutputTable, RunReport, Stage } from "../record/run-record.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { openZones } from "../zones/open.js";
import { lookingOnce } from "../zones/remember-partitions.js";
import type { RunActivity } from "./activity.js";
import { compareAnswers } from "./answers.js";
import { buildModels, hashAtRest, type Built } from "./build.js";
import { withCommitted } from "./commit.js";
import type { RunContext } from "./context.js";
import { noteColumns } from "./drift.js";
import { explainingRows } from "./failed-rows.js";
import { holdToGate, type Gate } from "./gate.js";
import { RunJournal } from "./journal.js";
import { planHash, planRun } from "./plan.js";
import { assertWrittenByRuns } from "./provenance.js";
import { preparePublish } from "./publish.js";
import { planInput, rawZone, readingUnchanged, type RawInput, type RawSource } from "./raw-input.js";
import { noteIgnored, noteSameBytes } from "./raw-notices.js";
import { reachOf } from "./reach.js";
import { recorded, type Succeed } from "./record.js";
import { runEngines, runSession, withBuilder } from "./run-engine.js";
import { assertUnchallenged, withRunLock } from "./run-lock.js";
import type { StagedPartition } from "./staged-partition.js";
import { stepsOfStages } from "./stages.js";
import { withStaging } from "./staging.js";

export interface RunRequest {
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
  /** How long to wait for another run of the date that is under way. */
  readonly waitMilliseconds: number;
  /** Whether what a run that fails has staged is kept for inspection. */
  readonly keepStaged: boolean;
  /** Which changes of answers are let through; undefined for all of them. */
  readonly gate?: Gate | undefined;
  /** Where it has its raw vouchers from; the raw zone unless given. */
  readonly raw?: RawSource;
}

/**
 * Runs stages of the pipeline for one execution date. Readers of the zones and of the consumption database see what was
 * there before or what the whole run has made. Safe to repeat; touches no other execution date.
 * @param signal cancels the run; everything is then as it was.
 * @param activity is told what the run is doing.
 * @throws PipelineError for every fault that is not a bug.
 */
export async function runPipeline(
  settings: Settings,
  request: RunRequest,
  signal: AbortSignal,
  activity: RunActivity,
): Promise<RunReport> {
  armFailpoint(settings.failpoint);
  const { executionDate, stages } = request;
  const runId = `${executionDate.partitionKey}-${randomBytes(6).toString("hex")}`;
  activity.isOf({ run: runId, execution_date: executionDate.iso });
  const zones = lookingOnce(await openZones(settings, signal));
  // It starts while the SQL is read and the database opened.
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
        },
        activity,
      );
      const unlocked = {
        executionDate,
        stages,
        gate: request.gate,
        raw: request.raw ?? rawZone,
        runId,
        settings,
        version,
        zones,
        consumption,
        signal,
        activity,
        journal,
      };
      return await withRunLock(unlocked, request.waitMilliseconds, (lock) => {
        failpoint("lock taken");
        const context = { ...unlocked, lock };
        return recorded(context, (succeed) =>
          withStaging(context, request.keepStaged, () =>
            runStages(context, starting, succeed).catch((error: unknown) => {
              throw faultOfWork(signal, error);
            }),
          ),
        );
      });
    } finally {
      await consumption.close();
    }
  } finally {
    await starting.close();
    zones.close();
  }
}

async function runStages(context: RunContext, starting: StartingDuckDb, succeed: Succeed): Promise<void> {
  const { raw, stages } = context;
  const inputs = stages.includes("curate") ? await raw.find(context) : [];
  noteIgnored(context, inputs);
  failpoint("raw files found");
  const reach = await reachOf(context, inputs);
  const engine = await starting.confine(reach);
  failpoint("engine started");
  const copies = engine.folder === undefined ? [] : [engine.folder];
  const withNewEngine = runEngines(runSession(context, context.activity.warn), {
    ...reach,
    directories: [...reach.directories, ...copies],
  });
  await withBuilder(context, engine, (builder) =>
    runOn(context, { engine, builder, withNewEngine }, inputs, succeed),
  );
}

/** Who reads and computes for a run. */
interface Engines {
  /** Reads raw files, and what is published. */
  readonly engine: Engine;
  readonly builder: Builder;
  /** Looks for faults. */
  readonly withNewEngine: WithNewEngine;
}

async function runOn(
  context: RunContext,
  engines: Engines,
  inputs: readonly RawInput[],
  succeed: Succeed,
): Promise<void> {
  const { journal, raw, zones } = context;
  const files = inputs.flatMap((input) => input.files);
  journal.note({
    engine: engines.builder.version,
    inputs: files.map(({ path, bytes, version }) => ({ path, bytes, version })),
  });
  const [built, hashedInputs] = await readingUnchanged(
    context,
    inputs,
    () => allEnded([build(context, engines, inputs), raw.inputFiles(zones.raw, inputs)]),
    raw.stateOf,
  );
  const atRest = await hashAtRest(built.atRest);
  await assertWrittenByRuns(context, atRest);
  noteSameBytes(context, hashedInputs);
  journal.note({
    inputs: hashedInputs,
    at_rest: atRest,
    measures: built.measures,
    tables: built.staged.map(outputTable),
  });
  await makeVisible(context, engines.engine, built, succeed);
}

/** Stages and audits every model of the stages. */
async function build(
  context: RunContext,
  { engine, builder, withNewEngine }: Engines,
  inputs: readonly RawInput[],
): Promise<Built> {
  const { activity, journal, raw, stages, version } = context;
  activity.percent = () => engine.progress();
  const rawParts = await activity.during("raw files", () =>
    raw.inspect(context, engine, inputs, withNewEngine),
  );
  failpoint("raw files inspected");
  await noteColumns(context, rawParts.columns);
  const plan = planRun(version, planInput(context, rawParts.byModel));
  journal.note({ rendered_sql_hash: planHash(plan) });
  await saveProgress(context);
  return explainingRows(context, builder, () =>
    buildModels({ ...context, builder, raw: rawParts }, plan, stepsOfStages(plan, stages)),
  );
}

/**
 * Commits what was built, publishes it, and records the success. If any of it fails, or others do not see it, the zones are as they
 * were.
 */
async function makeVisible(
  context: RunContext,
  engine: Engine,
  { staged }: Built,
  succeed: Succeed,
): Promise<void> {
  const { activity, journal, signal, stages } = context;
  const publishing = stages.includes("publish")
    ? await preparePublish(context, engine, staged.map(outputTable))
    : undefined;
  await saveProgress(context);
  failpoint("all prepared");
  if (publishing !== undefined) holdToGate(context, await compareAnswers(context, publishing));
  if (signal.aborted) throw cancelled(signal);
  await assertUnchallenged(context);
  await activity.during("commit", () =>
    withCommitted(context, staged, async () => {
      if (publishing !== undefined) journal.note({ published: await publishing.publish() });
      try {
        await succeed(publishing?.publication);
      } catch (error) {
        journal.note({ published: null });
        throw error;
      }
    }),
  );
}

/** Of a run that is killed, too, the record tells what it had read and made by then. */
function saveProgress({ consumption, journal, runId }: RunContext): Promise<void> {
  return recordProgress(consumption, runId, JSON.stringify(journal.report()));
}

function outputTable({ model, uri, files, rows, bytes, sha256 }: StagedPartition): OutputTable {
  return { model: model.name, uri, files, rows, bytes, sha256 };
}
