import { allEnded, sideBySide } from "../base/concurrency.js";
import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { counting } from "../base/words.js";
import { EngineError, ofModel, type Builder, type Functions, type Row } from "../engine/builder.js";
import {
  declaredColumns,
  isLarge,
  isMeasure,
  isRaw,
  isWritten,
  type Model,
  type WrittenModel,
} from "../models/model.js";
import type { Rendered } from "../models/template.js";
import { describeThreshold } from "../record/findings-in-words.js";
import type { AuditResult, RestingTable } from "../record/run-record.js";
import { sha256Of, type FoundPartition, type Zone } from "../zones/zone.js";
import type { RunJournal } from "./activity.js";
import { assertNoneFailed, auditModel } from "./audits.js";
import { describeStaged, type StagedPartition } from "./commit.js";
import type { RunContext, TypedRaw } from "./context.js";
import type { Plan, PlannedStep } from "./plan.js";

/** The result of building the models of a plan. */
export interface Built {
  readonly staged: readonly StagedPartition[];
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  /** The partitions of other runs that the models read. */
  readonly atRest: readonly RestingPartition[];
}

/** A partition of another run. */
interface RestingPartition {
  readonly model: WrittenModel;
  readonly zone: Zone;
  readonly found: FoundPartition;
}

/** The inputs for building the models. */
interface BuildContext extends Pick<RunContext, "activity" | "executionDate" | "runId" | "zones"> {
  /** Receives the results of the audits, and the rows of the measures. */
  readonly journal: Pick<RunJournal, "noteAudits" | "noteMeasure">;
  readonly builder: Builder;
  readonly raw: RawFaults & TypedRaw;
}

/** Finds the raw file behind a fault. */
interface RawFaults {
  /** Turns an error of reading raw files into one that names them; returns if the raw files are not at fault. */
  explainFault(): Promise<void>;
}

/** The inputs for building one model. */
interface ModelContext extends BuildContext {
  readonly functions: string;
}

/**
 * Builds models, each as soon as its sources are ready. A model goes into staging, and its audits run before another
 * model reads it. Models of the plan that are not in `steps` come from partitions of other runs.
 * @param steps the steps to build, in the order of the plan.
 * @throws PipelineError AUDIT_FAILED, MODEL_FAILED, RAW_FILE_UNREADABLE or PARTITION_MISSING, of the first failed
 * model in the order of the plan.
 */
export async function buildModels(
  context: BuildContext,
  plan: Plan,
  steps: readonly PlannedStep[],
): Promise<Built> {
  await makeFunctions(context.builder, plan.functions);
  if (plan.clusterFunctions !== undefined) await makeFunctions(context.builder, plan.clusterFunctions);
  const atRest = await attachAllAtRest(context, plan, steps);
  const started = new Map<string, Promise<BuiltModel>>();
  for (const step of steps) {
    // The order of the plan starts the sources of a step before the step.
    const readable = (names: readonly string[]) =>
      Promise.all(
        names.filter((name) => name !== step.model.name).flatMap((name) => started.get(name) ?? []),
      );
    started.set(step.model.name, buildModel({ ...context, functions: plan.functions.sql }, step, readable));
  }
  // No build may outlive the engine.
  const built = await allEnded([...started.values()]);
  return {
    atRest,
    staged: built.flatMap(({ staged }) => staged ?? []),
    measures: Object.fromEntries(
      built.flatMap(({ model, rows }) => (rows === undefined ? [] : [[model.name, rows]])),
    ),
  };
}

/**
 * Creates the functions that models share. Each text must be a function only, so that only the runner writes.
 * @throws PipelineError MODEL_FAILED that names the file if it contains anything else.
 */
export async function makeFunctions(
  builder: Pick<Builder, "makeFunctions">,
  functions: Functions & { readonly file: string },
): Promise<void> {
  try {
    await builder.makeFunctions(functions);
  } catch (error) {
    throw faultOfFile(functions.file, error);
  }
}

/**
 * Checks that a model and its audits are SELECTs, so that only the runner writes.
 * @throws PipelineError MODEL_FAILED that names the file if it contains anything else.
 */
export async function assertSelectsOf(
  builder: Pick<Builder, "assertSelects">,
  { model, rendered, beside, audits }: PlannedStep,
): Promise<void> {
  for (const query of beside === undefined ? [rendered] : [rendered, beside])
    await naming(model.file, () => builder.assertSelects(query));
  for (const audit of audits) await naming(audit.file, () => builder.assertSelects(audit.rendered));
}

/** Works with the text of a file, and adds the name of the file to an error of the engine. */
export async function naming(file: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    throw faultOfFile(file, error);
  }
}

function faultOfFile(file: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return new PipelineError("MODEL_FAILED", `${file}: ${error.message}`, { cause: error });
}

/** The result of building one model. */
interface BuiltModel {
  readonly model: Model;
  readonly staged?: StagedPartition;
  /** The rows of a measure. */
  readonly rows?: readonly Row[];
  /** The results of a raw model's audits, if it was typed before. */
  readonly audited?: readonly AuditResult[] | undefined;
}

/** @param readable resolves when the models with these names are readable. */
async function buildModel(
  context: ModelContext,
  step: PlannedStep,
  readable: (names: readonly string[]) => Promise<unknown>,
): Promise<BuiltModel> {
  const { activity, builder, journal } = context;
  const { model, rendered, audits } = step;
  await assertSelectsOf(builder, step);
  await readable(rendered.references);
  const built = await activity.during(model.name, () =>
    explaining(context.raw, step, () => materialize(context, step)),
  );
  if (built.rows !== undefined) journal.noteMeasure(model.name, built.rows);
  failpoint(`${model.name}: built`);
  await readable(audits.flatMap((audit) => audit.rendered.references));
  const results =
    built.audited ??
    (await activity.during(`audits of ${model.name}`, () =>
      explaining(context.raw, step, () => auditModel(builder, step)),
    ));
  journal.noteAudits(results);
  await assertPassed(context.raw, model, results);
  for (const result of results.filter(({ outcome }) => outcome === "warned"))
    activity.warn(warningOf(result));
  failpoint(`${model.name}: audited`);
  return { model, ...built };
}

/**
 * Ends the run if an audit has failed.
 * @throws PipelineError RAW_FILE_UNREADABLE if a damaged raw file is the cause, otherwise AUDIT_FAILED.
 */
export async function assertPassed(
  raw: RawFaults,
  model: Model,
  results: readonly AuditResult[],
): Promise<void> {
  if (isRaw(model) && results.some(({ outcome }) => outcome === "failed")) await raw.explainFault();
  assertNoneFailed(results);
}

function warningOf({ model, audit, broken, threshold }: AuditResult): string {
  const allowed = describeThreshold(threshold);
  const limit = allowed === "" ? "" : `, ${allowed} may`;
  return `${model} fails the audit ${audit}: ${counting(broken, "row")}${limit}; the run's report shows them`;
}

/** Makes a model readable under its name: as a view, a table of the run, or a staged file. */
async function materialize(
  context: ModelContext,
  { model, rendered, beside, rawBytes }: PlannedStep,
): Promise<Partial<BuiltModel>> {
  const { builder, functions, raw } = context;
  if (isWritten(model)) return { staged: await stageModel(context, model, rendered) };
  if (isRaw(model)) {
    const typed = raw.typed(functions, rendered.sql);
    if (typed !== undefined) await builder.attach(model.name, [typed.file]);
    else
      await builder.keepLarge(model.name, beside === undefined ? [rendered] : [rendered, beside], rawBytes);
    return { audited: typed?.audits };
  }
  await builder.keep(model.name, rendered);
  if (!isMeasure(model) || !model.header.recorded) return {};
  return { rows: await builder.rows(ofModel(model.name, `FROM ${model.name}`)) };
}

async function stageModel(
  context: BuildContext,
  model: WrittenModel,
  query: Rendered,
): Promise<StagedPartition> {
  const { builder, executionDate, runId } = context;
  const zone = context.zones[model.layer];
  const partition = { table: model.table, partitionKey: executionDate.partitionKey };
  const file = await zone.stage(runId, partition);
  failpoint(`${model.name}: room made`);
  const { rows, bytes, uris } = await builder.write(model.name, query, {
    file: file.uri,
    isLarge: isLarge(model.name),
    columns: declaredColumns(model),
  });
  failpoint(`${model.name}: written`);
  const [described] = await Promise.all([
    describeStaged(
      runId,
      { model, zone, partition, rows },
      uris[0] === file.uri ? { ...file, bytes } : undefined,
    ),
    attachStaged(builder, model, uris),
  ]);
  return described;
}

/** Makes a new model readable. If its file is not readable, the storage is at fault, not the model. */
async function attachStaged(
  builder: Pick<Builder, "attach">,
  model: WrittenModel,
  uris: readonly string[],
): Promise<void> {
  try {
    await builder.attach(model.name, uris);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    throw new PipelineError(
      "STORAGE_FAILED",
      `cannot read ${model.name} after writing it: ${error.message}; check the storage, and run again`,
      { cause: error },
    );
  }
}

/** Makes the partitions of other runs readable under the names of their models. */
async function attachAllAtRest(
  context: BuildContext,
  plan: Plan,
  steps: readonly PlannedStep[],
): Promise<RestingPartition[]> {
  const needed = new Set(steps.flatMap(({ reads }) => reads));
  const attached: RestingPartition[] = [];
  for (const step of plan.steps) {
    const { model } = step;
    if (!isWritten(model) || !needed.has(model.name) || steps.includes(step)) continue;
    const zone = context.zones[model.layer];
    attached.push({ model, zone, found: await attachAtRest(context, model) });
  }
  return attached;
}

/** The partitions of other runs, with the hashes of their files or manifests. */
export function hashAtRest(partitions: readonly RestingPartition[]): Promise<RestingTable[]> {
  return sideBySide(partitions, async ({ model, zone, found: { head } }) => ({
    model: model.name,
    uri: head.uri,
    sha256: await sha256Of(zone, head),
  }));
}

/**
 * Decides if a raw file or a model caused an error of the engine.
 * @throws PipelineError RAW_FILE_UNREADABLE or MODEL_FAILED.
 */
export async function explaining<Result>(
  raw: RawFaults,
  { model }: PlannedStep,
  build: () => Promise<Result>,
): Promise<Result> {
  try {
    return await build();
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    if (model.layer !== "provision") await raw.explainFault();
    throw new PipelineError("MODEL_FAILED", `${model.file}: ${error.message}`, { cause: error });
  }
}

/**
 * Makes a partition of another run readable under the name of its model.
 * @throws PipelineError PARTITION_MISSING if there is no readable one, PARTITION_DIFFERS if its manifest lists other
 * files, AUDIT_FAILED if its columns differ from those of the model.
 */
export async function attachAtRest(
  { builder, executionDate, zones }: Pick<RunContext, "executionDate" | "zones"> & { builder: Builder },
  model: WrittenModel,
): Promise<FoundPartition> {
  const { partitionKey, iso } = executionDate;
  const stage = model.layer === "curated" ? "curate" : "aggregate";
  const remedy = `build it with npx pipeline ${stage} -e ${iso}`;
  const found = await zones[model.layer].find({ table: model.table, partitionKey });
  if (found === undefined) {
    const message = `${model.name} has no partition execution_date=${partitionKey}; ${remedy}`;
    throw new PipelineError("PARTITION_MISSING", message);
  }
  try {
    await builder.attach(
      model.name,
      found.files.map(({ uri }) => uri),
    );
    assertNoneFailed(await auditModel(builder, { model, audits: [] }));
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const message = `cannot read ${found.head.uri}: ${error.onOneLine}; ${remedy}`;
    throw new PipelineError("PARTITION_MISSING", message, { cause: error });
  }
  return found;
}

/**
 * The current files of the models' partitions. A missing or faulty partition has none here: the step that attaches it
 * reports the fault.
 */
export async function filesAtRest(
  { executionDate, zones }: Pick<RunContext, "executionDate" | "zones">,
  models: readonly WrittenModel[],
): Promise<string[]> {
  const { partitionKey } = executionDate;
  const found = await sideBySide(models, async ({ layer, table }) => {
    try {
      return await zones[layer].find({ table, partitionKey });
    } catch (error) {
      if (error instanceof PipelineError && error.kind === "data") return undefined;
      throw error;
    }
  });
  return found.flatMap((partition) => partition?.files.map(({ uri }) => uri) ?? []);
}
