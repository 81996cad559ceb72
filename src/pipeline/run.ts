import { createHash, randomBytes } from "node:crypto";
import os from "node:os";
import { pipeline as pipeStreams } from "node:stream/promises";
import type { Consumption } from "../consumption/consumption.js";
import { migrate } from "../consumption/migrate.js";
import { openConsumption } from "../consumption/open.js";
import { publish, type PublishResult, type TableContent } from "../consumption/publish.js";
import { createPublishedTables } from "../consumption/published-tables.js";
import { recordEnd, recordStart, runningRun } from "../consumption/runs.js";
import { withDuckDb } from "../engine/duckdb.js";
import type { Engine } from "../engine/engine.js";
import { messageOf, PipelineError } from "../errors.js";
import { loadSqlVersion, type SqlVersion } from "../models/load.js";
import { isPublished, type Layer, type Model, type RawModel, type WrittenModel } from "../models/model.js";
import type { RawPart } from "../models/raw-part.js";
import { inspectRawFiles, listRawFiles, probeRawFiles } from "../raw/inspect.js";
import type { Settings } from "../settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { openLocalZone } from "../zones/local.js";
import { partitionFolder, PARTITION_FILE, type Zone, type ZoneFile } from "../zones/zone.js";
import { buildModels, partitionMissing, type Built } from "./build.js";
import { withCommitted } from "./commit.js";
import { planRun, type Plan } from "./plan.js";
import { dataHash, publishedContent, publishedTable } from "./publish.js";
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

/** How a run tells what it is doing. */
export interface RunListener {
  /** A step begins. `progress` says at any time how far it is, from 0 to 100, or undefined where nothing is known. */
  onStep(name: string, progress: () => number | undefined): void;
}

/** What a run works with. */
interface Run extends RunRequest {
  readonly id: string;
  readonly settings: Settings;
  readonly version: SqlVersion;
  readonly zones: Zones;
  readonly consumption: Consumption;
  readonly signal: AbortSignal;
  readonly listener: RunListener;
}

type Zones = Readonly<Record<"raw" | "curated" | "provision", Zone>>;

/**
 * Runs stages of the pipeline for one execution date. Readers of the zones and of the consumption database see what was
 * there before or what the whole run has made. Safe to repeat; touches no other execution date.
 * @param signal cancels the run; everything is then as it was.
 * @throws PipelineError for every fault that is not a bug.
 */
export async function runPipeline(
  settings: Settings,
  request: RunRequest,
  signal: AbortSignal,
  listener: RunListener,
): Promise<RunReport> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = {
    raw: await openLocalZone(settings.zones.raw),
    curated: await openLocalZone(settings.zones.curated),
    provision: await openLocalZone(settings.zones.provision),
  };
  const consumption = await openConsumption(settings.consumptionUrl, "write");
  try {
    await migrate(consumption);
    const id = `${request.executionDate.partitionKey}-${randomBytes(6).toString("hex")}`;
    const run: Run = { ...request, id, settings, version, zones, consumption, signal, listener };
    const locked = await consumption.tryLocked(request.executionDate.partitionKey, () => recordedRun(run));
    if (locked === undefined) throw await lockHeld(consumption, request.executionDate);
    return locked.result;
  } finally {
    await consumption.close();
  }
}

/** A run with its record, and with nothing left in staging, however it ends. */
async function recordedRun(run: Run): Promise<RunReport> {
  const { consumption, executionDate, version, zones } = run;
  const startedAt = new Date();
  await recordStart(consumption, {
    run_id: run.id,
    execution_date: executionDate.partitionKey,
    stages: run.stages.join(","),
    started_at: startedAt.toISOString(),
    started_by: `${os.userInfo().username}@${os.hostname()} process ${process.pid.toString()}`,
    sql_version: version.name,
    sql_hash: version.hash,
  });
  const end = { ended_at: null, error_code: null, error_message: null, record: null };
  try {
    await sweepStaging(zones, executionDate);
    const report = await unrecordedRun(run, startedAt).finally(() => sweepStaging(zones, executionDate));
    await recordEnd(consumption, run.id, {
      ...end,
      outcome: "succeeded",
      ended_at: new Date().toISOString(),
      record: JSON.stringify(report),
    });
    return report;
  } catch (error) {
    const fault = error instanceof PipelineError ? error : undefined;
    await recordEnd(consumption, run.id, {
      ...end,
      outcome: fault?.kind === "cancelled" ? "cancelled" : "failed",
      ended_at: new Date().toISOString(),
      error_code: fault?.code ?? "BUG",
      error_message: messageOf(error),
    });
    throw error;
  }
}

async function sweepStaging(zones: Zones, { partitionKey }: ExecutionDate): Promise<void> {
  for (const zone of [zones.curated, zones.provision]) await zone.sweep(partitionKey);
}

async function unrecordedRun(run: Run, startedAt: Date): Promise<RunReport> {
  const { settings, version, zones, executionDate, stages } = run;
  const rawModels = stages.includes("curate") ? version.models.filter(isRaw) : [];
  const rawFiles = new Map<RawModel, ZoneFile[]>();
  for (const model of rawModels) rawFiles.set(model, await listRawFiles(zones.raw, model));
  const inputs = [...rawFiles.values()].flat();

  const reach = {
    directories: [zones.curated.root, zones.provision.root],
    files: inputs.map(({ uri }) => uri),
  };
  return withDuckDb(settings.duckdb, reach, run.signal, async (engine) => {
    run.listener.onStep("raw files", () => undefined);
    const rawParts = new Map<string, RawPart[]>();
    for (const [model, files] of rawFiles) {
      rawParts.set(model.name, await inspectRawFiles(engine, zones.raw, model, files));
    }
    const planFor = (parts: ReadonlyMap<string, readonly RawPart[]>) =>
      planRun(version, {
        executionDate,
        maxRejectedShare: settings.maxRejectedShare,
        rawRoot: zones.raw.root,
        rawParts: parts,
      });
    const built = await build(run, engine, planFor(rawParts), async () => {
      for (const [name, parts] of rawParts) {
        const selectOf = (part: RawPart) => sqlOf(planFor(new Map([[name, [part]]])), name);
        await probeRawFiles(engine, zones.raw, parts, selectOf);
      }
    });
    const { tables, published } = await commitAndPublish(run, engine, built);
    return {
      run_id: run.id,
      execution_date: executionDate.iso,
      stages,
      sql_version: version.name,
      sql_hash: version.hash,
      engine: engine.version,
      inputs: inputs.map(({ path, bytes, version: fileVersion }) => ({ path, bytes, version: fileVersion })),
      measures: built.measures,
      tables,
      audits: built.audits,
      published,
      seconds: (Date.now() - startedAt.getTime()) / 1000,
    };
  });
}

function build(run: Run, engine: Engine, plan: Plan, explainRawFault: () => Promise<void>): Promise<Built> {
  const layers = run.stages.flatMap((stage) => LAYERS_OF_STAGE[stage]);
  return buildModels(
    {
      engine,
      zones: run.zones,
      executionDate: run.executionDate,
      runId: run.id,
      onStep: (name) => {
        run.listener.onStep(name, () => engine.progress());
      },
      explainRawFault,
    },
    plan,
    (model) => layers.includes(model.layer),
  );
}

/** Makes what was built visible, in the zones and then in the consumption database. */
async function commitAndPublish(run: Run, engine: Engine, { staged }: Built) {
  const tables = await Promise.all(
    staged.map(async ({ model, zone, partition, path, uri, rows, bytes }): Promise<OutputTable> => ({
      model: model.name,
      uri: `${zone.root}/${partitionFolder(partition)}/${PARTITION_FILE}`,
      rows,
      bytes,
      sha256: await hashOf(zone, { path, uri }),
    })),
  );
  const publishing = run.stages.includes("publish") ? await preparePublish(run, engine, tables) : undefined;
  if (run.signal.aborted) throw new PipelineError("CANCELLED", "cancelled; nothing was changed");
  run.listener.onStep("commit", () => undefined);
  const published = await withCommitted(run.id, staged, async () => publishing?.() ?? null);
  return { tables, published };
}

/** Reads what is to be published, and makes the tables for it, before anything is committed. */
async function preparePublish(
  run: Run,
  engine: Engine,
  built: readonly OutputTable[],
): Promise<() => Promise<PublishResult>> {
  const { consumption, executionDate, version, zones } = run;
  const models = version.models.filter(isPublished);
  await createPublishedTables(consumption, models.map(publishedTable));
  const contents: TableContent[] = [];
  const hashes: Pick<OutputTable, "model" | "sha256">[] = [];
  for (const model of models) {
    const table = built.find((candidate) => candidate.model === model.name);
    hashes.push(table ?? (await attachAtRest(engine, zones[model.layer], model, executionDate)));
    contents.push(await publishedContent(engine, model));
  }
  const publication = {
    execution_date: executionDate.partitionKey,
    run_id: run.id,
    sql_version: version.name,
    sql_hash: version.hash,
    data_hash: dataHash(hashes),
    published_at: new Date().toISOString(),
  };
  return () => {
    run.listener.onStep("publish", () => undefined);
    return publish(consumption, publication, contents);
  };
}

async function attachAtRest(engine: Engine, zone: Zone, model: WrittenModel, executionDate: ExecutionDate) {
  const file = await zone.find({ table: model.table, partitionKey: executionDate.partitionKey });
  if (file === undefined) throw partitionMissing(model, executionDate);
  await engine.attachFiles(model.name, [file.uri]);
  return { model: model.name, sha256: await hashOf(zone, file) };
}

async function hashOf(zone: Zone, file: Pick<ZoneFile, "path" | "uri">): Promise<string> {
  const hash = createHash("sha256");
  await pipeStreams(zone.read(file), hash);
  return hash.digest("hex");
}

function isRaw(model: Model): model is RawModel {
  return model.layer === "raw";
}

function sqlOf(plan: Plan, model: string): string {
  return plan.steps.find((step) => step.model.name === model)?.rendered.sql ?? "";
}

async function lockHeld(consumption: Consumption, { iso, partitionKey }: ExecutionDate): Promise<PipelineError> {
  const holder = await runningRun(consumption, partitionKey);
  const who = holder === undefined ? "" : `: ${holder.started_by}, since ${holder.started_at}, run ${holder.run_id}`;
  return new PipelineError("LOCK_HELD", `another run of ${iso} is under way${who}; wait for it, or stop it`);
}
