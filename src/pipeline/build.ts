import { PipelineError } from "../errors.js";
import { DuckDbError } from "../engine/duckdb-errors.js";
import type { Engine, Row } from "../engine/engine.js";
import { isWritten, type Model, type WrittenModel, type ZoneLayer } from "../models/model.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Partition, Zone } from "../zones/zone.js";
import { auditModel } from "./audits.js";
import type { Plan, PlannedStep } from "./plan.js";
import type { PassedAudit } from "./report.js";

/** A partition that is written and audited, and not yet where readers look. */
export interface StagedPartition {
  readonly model: WrittenModel;
  readonly zone: Zone;
  readonly partition: Partition;
  /** Where it is until it is committed. */
  readonly path: string;
  readonly uri: string;
  readonly rows: number;
  readonly bytes: number;
}

/** What building the models of a plan gives. */
export interface Built {
  readonly staged: readonly StagedPartition[];
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  readonly audits: readonly PassedAudit[];
}

export interface BuildContext {
  readonly engine: Engine;
  readonly zones: Readonly<Record<ZoneLayer, Zone>>;
  readonly executionDate: ExecutionDate;
  readonly runId: string;
  /** Called with the name of each model before it is built. */
  readonly onStep: (name: string) => void;
  /** Turns an error of reading raw files into one that names them; returns where the raw files are not at fault. */
  readonly explainRawFault: () => Promise<void>;
}

/**
 * Builds models in the order of a plan, each into staging, and audits each before the next one reads it. Models of the
 * plan that are not to be built are taken as they are at rest.
 * @throws PipelineError AUDIT_FAILED, MODEL_FAILED, RAW_FILE_UNREADABLE or PARTITION_MISSING.
 */
export async function buildModels(
  context: BuildContext,
  plan: Plan,
  isBuilt: (model: Model) => boolean,
): Promise<Built> {
  const staged: StagedPartition[] = [];
  const measures: Record<string, readonly Row[]> = {};
  const audits: PassedAudit[] = [];
  await context.engine.run(plan.functions);
  await attachAtRest(context, plan, isBuilt);
  for (const step of plan.steps.filter(({ model }) => isBuilt(model))) {
    const { model, rendered } = step;
    context.onStep(model.name);
    await explaining(context, step, async () => {
      if (isWritten(model)) staged.push(await stageModel(context, model, rendered.sql));
      else if (model.layer === "raw") await context.engine.createView(model.name, rendered.sql);
      else await context.engine.createTable(model.name, rendered.sql);
      audits.push(...(await auditModel(context.engine, step)));
    });
    if (model.layer === "measures") measures[model.name] = await context.engine.rows(`FROM ${model.name}`);
  }
  return { staged, measures, audits };
}

async function stageModel(context: BuildContext, model: WrittenModel, select: string): Promise<StagedPartition> {
  const { engine, executionDate, runId } = context;
  const zone = context.zones[model.layer];
  const partition = { table: model.table, partitionKey: executionDate.partitionKey };
  const file = await zone.stage(runId, partition);
  const written = await engine.writeParquet(select, file.uri);
  await engine.attachFiles(model.name, [file.uri]);
  return { model, zone, partition, ...file, ...written };
}

/** Makes the partitions that other runs have left readable under the names of their models. */
async function attachAtRest(
  { engine, zones, executionDate }: BuildContext,
  plan: Plan,
  isBuilt: (model: Model) => boolean,
): Promise<void> {
  const needed = new Set(
    plan.steps
      .filter(({ model }) => isBuilt(model))
      .flatMap(({ rendered, audits }) => [rendered, ...audits.map((audit) => audit.rendered)])
      .flatMap(({ references }) => references),
  );
  for (const { model } of plan.steps) {
    if (!isWritten(model) || isBuilt(model) || !needed.has(model.name)) continue;
    const { partitionKey } = executionDate;
    const file = await zones[model.layer].find({ table: model.table, partitionKey });
    if (file === undefined) throw partitionMissing(model, executionDate);
    await engine.attachFiles(model.name, [file.uri]);
  }
}

/** The error for a partition that has to be at rest, and is not. */
export function partitionMissing(model: WrittenModel, { partitionKey, iso }: ExecutionDate): PipelineError {
  const stage = model.layer === "curated" ? "curate" : "aggregate";
  return new PipelineError(
    "PARTITION_MISSING",
    `${model.name} has no partition execution_date=${partitionKey}; make it with: pipeline ${stage} -e ${iso}`,
  );
}

/** Says of an error of the engine whether a raw file or a model is at fault. */
async function explaining(context: BuildContext, { model }: PlannedStep, build: () => Promise<void>): Promise<void> {
  try {
    await build();
  } catch (error) {
    if (!(error instanceof DuckDbError)) throw error;
    if (model.layer !== "provision") await context.explainRawFault();
    throw new PipelineError("MODEL_FAILED", `${model.file}: ${error.message}`, { cause: error });
  }
}
