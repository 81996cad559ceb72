import { randomBytes } from "node:crypto";
import { migrate } from "../consumption/migrate.js";
import { openConsumption } from "../consumption/open.js";
import { runningRun } from "../consumption/runs.js";
import { withDuckDb } from "../engine/duckdb.js";
import type { Engine } from "../engine/engine.js";
import { cancelled, messageOf, PipelineError } from "../errors.js";
import { armFailpoint, failpoint } from "../failpoints.js";
import { loadSqlVersion } from "../models/load.js";
import type { Layer } from "../models/model.js";
import type { Settings } from "../settings.js";
import { allEnded } from "../side-by-side.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { openZones } from "../zones/open.js";
import { partitionFile } from "../zones/zone.js";
import type { RunActivity } from "./activity.js";
import { buildModels, type Built, type StagedPartition } from "./build.js";
import { withCommitted } from "./commit.js";
import type { RunContext } from "./context.js";
import { planRun } from "./plan.js";
import { preparePublish } from "./publish.js";
import { findRawFiles, inspectRaw, planInput, type RawInput } from "./raw-input.js";
import { recorded } from "./record.js";
import type { OutputTable, RunReport, Stage } from "./report.js";

/** The layers that each stage builds. */
const LAYERS_OF_STAGE: Record<Stage, readonly Layer[]> = {
  curate: ["raw", "curated", "measures"],
  aggregate: ["provision"],
  publish: [],
};

export interface RunRequest {
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
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
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = await openZones(settings);
  const consumption = await openConsumption(settings.consumptionUrl);
  const { partitionKey } = request.executionDate;
  try {
    failpoint("database opened");
    await migrate(consumption);
    failpoint("database migrated");
    const runId = `${partitionKey}-${randomBytes(6).toString("hex")}`;
    const context: Omit<RunContext, "lock"> = {
      ...request,
      runId,
      settings,
      version,
      zones,
      consumption,
      signal,
      activity,
    };
    const locked = await consumption.tryLocked(partitionKey, (lock) =>
      recorded(context, () => sweptRun({ ...context, lock })),
    );
    if (locked === undefined) throw await lockHeld(context);
    return { ...locked.result, warnings: activity.warnings };
  } finally {
    await consumption.close();
    zones.close();
  }
}

/** A run that leaves nothing in staging, neither of its own nor of a run of the same date that has died. */
async function sweptRun(context: RunContext): Promise<RunReport> {
  const { activity, executionDate, zones } = context;
  const written = [zones.curated, zones.provision];
  failpoint("start recorded");
  await allEnded(written.map((zone) => zone.sweep(executionDate.partitionKey)));
  failpoint("old staging swept");
  try {
    return await reportedRun(context);
  } finally {
    failpoint("run ended");
    // How the run has ended is decided. What cannot be swept now is swept by the next run of the date.
    const sweeps = written.map((zone) =>
      zone.sweep(executionDate.partitionKey).catch((error: unknown) => {
        activity.warn(`staging could not be swept: ${messageOf(error)}`);
      }),
    );
    await Promise.all(sweeps);
    failpoint("own staging swept");
  }
}

async function reportedRun(context: RunContext): Promise<RunReport> {
  const { activity, executionDate, runId, settings, signal, stages, version, zones } = context;
  const startedAt = performance.now();
  // The engine starts while the files are listed.
  const finding = stages.includes("curate") ? findRawFiles(context) : Promise.resolve([]);
  const reach = finding.then((raw) => ({
    directories: [zones.curated.root, zones.provision.root],
    files: raw.flatMap(({ files }) => files).map(({ uri }) => uri),
  }));
  const session = { settings: settings.duckdb, s3: zones.s3, reach, signal, warn: activity.warn };
  return withDuckDb(session, async (engine) => {
    const raw = await finding;
    failpoint("raw files found");
    const inputs = raw.flatMap(({ files }) => files);
    const built = await build(context, engine, raw);
    const { tables, published } = await makeVisible(context, engine, built);
    return {
      run_id: runId,
      execution_date: executionDate.iso,
      stages,
      sql_version: version.name,
      sql_hash: version.hash,
      engine: engine.version,
      inputs: inputs.map(({ path, bytes, version: state }) => ({ path, bytes, version: state })),
      measures: built.measures,
      tables,
      audits: built.audits,
      published,
      warnings: activity.warnings,
      seconds: (performance.now() - startedAt) / 1000,
    };
  });
}

/** Stages and audits every model of the stages. */
async function build(context: RunContext, engine: Engine, raw: readonly RawInput[]): Promise<Built> {
  const { activity, stages, version } = context;
  activity.percent = () => engine.progress();
  const rawParts = await activity.during("raw files", () => inspectRaw(context, engine, raw));
  failpoint("raw files inspected");
  const plan = planRun(version, planInput(context, rawParts.byModel));
  const layers = stages.flatMap((stage) => LAYERS_OF_STAGE[stage]);
  return buildModels(
    { ...context, engine, explainRawFault: () => rawParts.explainFault() },
    plan,
    ({ layer }) => layers.includes(layer),
  );
}

/** Commits what was built and publishes it. Where either fails, the zones are as they were. */
async function makeVisible(context: RunContext, engine: Engine, { staged }: Built) {
  const { activity, lock, signal, stages } = context;
  const tables = staged.map(outputTable);
  const publishing = stages.includes("publish") ? await preparePublish(context, engine, tables) : undefined;
  failpoint("all prepared");
  if (signal.aborted) throw cancelled();
  await lock.assertHeld();
  const published = await activity.during("commit", () =>
    withCommitted(context, staged, async () => (publishing === undefined ? null : publishing())),
  );
  return { tables, published };
}

function outputTable({ model, zone, partition, rows, bytes, sha256 }: StagedPartition): OutputTable {
  return { model: model.name, uri: `${zone.root}/${partitionFile(partition)}`, rows, bytes, sha256 };
}

async function lockHeld({
  consumption,
  executionDate,
}: Pick<RunContext, "consumption" | "executionDate">): Promise<PipelineError> {
  const holder = await runningRun(consumption, executionDate.partitionKey);
  const who =
    holder === undefined ? "" : `: ${holder.started_by}, since ${holder.started_at}, run ${holder.run_id}`;
  return new PipelineError(
    "LOCK_HELD",
    `another run of ${executionDate.iso} is under way${who}; wait for it, or stop it`,
  );
}
