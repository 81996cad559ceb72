import { createHash } from "node:crypto";
import { PipelineError } from "../base/errors.js";
import { DUCKDB, type Dialect, type DialectName, type RawPart } from "../models/dialect.js";
import type { AuditUse, Severity, Threshold } from "../models/header.js";
import { functionsIn, type SqlVersion } from "../models/load.js";
import {
  isMeasure,
  isLarge,
  isPublished,
  isRaw,
  isWritten,
  publishedColumns,
  usedAudit,
  usesOf,
  type Inspection,
  type Model,
  type WrittenModel,
} from "../models/model.js";
import { orderByReference, type Step } from "../models/order.js";
import { createRenderer, type Rendered, type Renderer } from "../models/template.js";
import type { Stage } from "../record/stages.js";
import type { CertaintyScale } from "../voucher/certainty.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { SEGMENT_KINDS, type Segments } from "../voucher/segment-rules.js";

/** The maximum length of a published text if the header of its column has none, in code points. */
export const DEFAULT_MAX_LENGTH = 255;

/** The values that a run fills into the templates. */
export interface PlanInput {
  readonly executionDate: ExecutionDate;
  readonly maxRejectedShare: string;
  /** The common start of the path of each raw file. */
  readonly rawRoot: string;
  /** The raw files of each raw model, by its name. */
  readonly rawParts: ReadonlyMap<string, readonly RawPart[]>;
  /** The cluster for large models; by default DuckDB computes everything. */
  readonly cluster?: Cluster | undefined;
  /** Models that templates may name although their own files are at fault. */
  readonly unreadable?: ReadonlySet<string> | undefined;
}

/** An engine that computes models from raw and curated rows. DuckDB still computes the small models. */
export interface Cluster {
  readonly dialect: Dialect;
  /** The reason why it does not read these raw files as DuckDB does, so that DuckDB reads them; undefined if it does. */
  readonly refuses: (part: RawPart) => string | undefined;
}

/** An audit rendered for one model. */
export interface AuditStep {
  readonly audit: string;
  readonly file: string;
  /** The promise that the audit checks. */
  readonly promise: string;
  readonly severity: Severity;
  readonly threshold: Threshold;
  readonly rendered: Rendered;
}

/** A model with its SQL and its audits, all rendered for one execution date. */
export interface PlannedStep extends Step {
  readonly rendered: Rendered;
  /** The SELECT for the other rows of a raw model: from files that only DuckDB reads, while a cluster reads the rest. */
  readonly beside?: Rendered | undefined;
  readonly audits: readonly AuditStep[];
  /** The size of the raw files that it reads. */
  readonly rawBytes: number;
}

/** The functions that the models share, in the dialect of one engine. */
export interface PlannedFunctions {
  readonly file: string;
  readonly sql: string;
  readonly dialect: DialectName;
}

/** All statements that a run will send to the engine, in order. */
export interface Plan {
  readonly functions: PlannedFunctions;
  /** The same functions in the dialect of the cluster, if there is one. */
  readonly clusterFunctions?: PlannedFunctions | undefined;
  readonly steps: readonly PlannedStep[];
}

/**
 * Renders every model, audit and function of a SQL version for one execution date.
 * @throws PipelineError INVALID_MODEL for a faulty template.
 */
export function planRun(version: SqlVersion, input: PlanInput): Plan {
  return planPart(version, input, (fault) => {
    throw fault;
  });
}

/**
 * Renders as much of a SQL version as can be rendered.
 * @param tell is called with each PipelineError INVALID_MODEL. The plan lacks what it is a fault of.
 */
export function planPart(version: SqlVersion, input: PlanInput, tell: (fault: PipelineError) => void): Plan {
  const unlessFaulty = <Part>(render: () => Part): Part[] => {
    try {
      return [render()];
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "INVALID_MODEL") throw error;
      tell(error);
      return [];
    }
  };
  const variables = variablesOf(version, input);
  const renderers = renderersOf(version, input);
  const steps = version.models.flatMap((model): PlannedStep[] => {
    const [selects] = unlessFaulty(() => selectsOf(renderers, variables, model, input));
    const own = ownVariables(variables, model, input);
    const audits = knownUses(model, version).flatMap((use) =>
      unlessFaulty(() => auditOf(model, use, version, renderers, own)),
    );
    if (selects === undefined) return [];
    const { references } = selects.rendered;
    const auditsRead = audits
      .flatMap((audit) => audit.rendered.references)
      .filter((name) => name !== model.name && !references.includes(name));
    const rawBytes = (input.rawParts.get(model.name) ?? []).reduce((sum, { bytes }) => sum + bytes, 0);
    const reads = [...new Set([...references, ...auditsRead])];
    return [{ model, ...selects, audits, reads, auditsRead, rawBytes }];
  });
  const { file } = functionsIn(version, DUCKDB.name);
  const [functions] = unlessFaulty(() => functionsOf(version, DUCKDB, variables));
  const [clusterFunctions] = unlessFaulty(
    () => input.cluster && functionsOf(version, input.cluster.dialect, variables),
  );
  return {
    functions: functions ?? { file, sql: "", dialect: DUCKDB.name },
    clusterFunctions,
    steps: orderByReference(steps, tell),
  };
}

/** SHA-256 over all texts that a plan sends to the engine. */
export function planHash({ functions, clusterFunctions, steps }: Plan): string {
  const hash = createHash("sha256").update(functions.sql);
  if (clusterFunctions !== undefined) hash.update(`\0${clusterFunctions.sql}`);
  for (const { rendered, beside, audits } of steps) {
    const said = [
      rendered,
      ...(beside === undefined ? [] : [beside]),
      ...audits.map((audit) => audit.rendered),
    ];
    for (const { sql } of said) hash.update(`\0${sql}`);
  }
  return hash.digest("hex");
}

/** The SQL of one model alone. */
export function renderModel(version: SqlVersion, model: Model, input: PlanInput): string {
  const variables = ownVariables(variablesOf(version, input), model, input);
  return renderersOf(version, input).duckDb.render(model.file, model.template, variables).sql;
}

/** The SQL of an inspection. It does not depend on the inspected files. */
export function renderInspection(
  version: SqlVersion,
  { file, template }: Inspection,
  input: PlanInput,
): string {
  return renderersOf(version, input).duckDb.render(file, template, variablesOf(version, input)).sql;
}

/** The renderers of templates, one for each engine. */
interface Renderers {
  readonly duckDb: Renderer;
  /** For texts that a cluster computes, because a source may be too large for one machine. */
  readonly cluster: Renderer | undefined;
}

function renderersOf({ models }: SqlVersion, { cluster, unreadable = new Set() }: PlanInput): Renderers {
  const names = new Set([...models.map(({ name }) => name), ...unreadable]);
  return {
    duckDb: createRenderer(names),
    cluster: cluster && createRenderer(names, cluster.dialect),
  };
}

function render(
  { duckDb, cluster }: Renderers,
  ...[file, template, variables]: Parameters<Renderer["render"]>
): Rendered {
  const rendered = duckDb.render(file, template, variables);
  return cluster !== undefined && rendered.references.some(isLarge)
    ? cluster.render(file, template, variables)
    : rendered;
}

/** The SELECT of a model. There are two if a cluster reads some of the raw files, and DuckDB the others. */
function selectsOf(
  renderers: Renderers,
  variables: object,
  model: Model,
  { cluster, rawParts }: PlanInput,
): Pick<PlannedStep, "rendered" | "beside"> {
  const { file, template, name } = model;
  const parts = rawParts.get(name) ?? [];
  const read =
    isRaw(model) && cluster !== undefined ? parts.filter((part) => cluster.refuses(part) === undefined) : [];
  if (renderers.cluster === undefined || read.length === 0) {
    return { rendered: render(renderers, file, template, { ...variables, raw_parts: parts }) };
  }
  const others = parts.filter((part) => !read.includes(part));
  return {
    rendered: renderers.cluster.render(file, template, { ...variables, raw_parts: read }),
    beside:
      others.length === 0
        ? undefined
        : renderers.duckDb.render(file, template, { ...variables, raw_parts: others }),
  };
}

/** The functions that the models share, for one engine. */
function functionsOf(version: SqlVersion, dialect: Dialect, variables: object): PlannedFunctions {
  const { file, template } = functionsIn(version, dialect.name);
  return { file, ...createRenderer(new Set(), dialect).render(file, template, variables) };
}

/** The variables for the templates of a model and its audits. */
function ownVariables(variables: object, { name }: Model, { rawParts }: PlanInput): object {
  return { ...variables, raw_parts: rawParts.get(name) ?? [] };
}

/** The variables for every template of a version. */
function variablesOf({ segments, certainty }: SqlVersion, input: PlanInput): object {
  return {
    execution_date: input.executionDate.timestamp,
    partition_key: input.executionDate.partitionKey,
    max_rejected_share: input.maxRejectedShare,
    segments: segmentVariables(segments),
    ...(certainty === undefined ? {} : { certainty: certaintyVariables(certainty) }),
    raw_zone: input.rawRoot,
  };
}

/** The columns of a published model's table, with the length of every text. */
function publishedTexts(model: WrittenModel): { name: string; max_length: number }[] {
  return publishedColumns(model)
    .filter(([, { type }]) => type === "VARCHAR")
    .map(([name, { max_length = DEFAULT_MAX_LENGTH }]) => ({ name, max_length }));
}

/** The uses of existing audits. The load reports the others. */
function knownUses(model: Model, { audits }: SqlVersion): AuditUse[] {
  return usesOf(model).filter((use) => usedAudit(model, use, audits) !== undefined);
}

function auditOf(
  model: Model,
  use: AuditUse,
  version: SqlVersion,
  renderers: Renderers,
  variables: object,
): AuditStep {
  const { audit: name, parameters, severity, threshold } = use;
  const audit = usedAudit(model, use, version.audits);
  if (audit === undefined) throw new RangeError(`unknown audit ${name}`);
  const { header } = audit;
  // Only DuckDB can read raw files unchanged.
  const readers = header.reads_files ? { ...renderers, cluster: undefined } : renderers;
  const rendered = render(readers, audit.file, audit.template, {
    ...variables,
    ...parameters,
    model: modelVariables(model),
  });
  return {
    audit: name,
    file: audit.file,
    promise: header.description.trim(),
    // The severity that the model sets has priority.
    severity: severity ?? header.severity,
    threshold: threshold ?? header.threshold,
    rendered,
  };
}

/** The variables of a template's own model. */
function modelVariables(model: Model): object {
  return {
    name: model.name,
    key: isWritten(model) ? (model.header.key ?? []) : [],
    texts: isPublished(model) ? publishedTexts(model) : [],
  };
}

function segmentVariables(segments: Segments): object[] {
  return SEGMENT_KINDS.map((kind) => {
    const { measure, segments: all } = segments[kind];
    return {
      name: kind,
      measure,
      names: all.map(({ name }) => name),
      bounded: all.slice(0, -1),
      unbounded: all.at(-1),
    };
  });
}

function certaintyVariables({ words }: CertaintyScale): object {
  return { bounded: words.slice(0, -1), lowest: words.at(-1) };
}

/**
 * The steps of a plan that some stages build, grouped by stage. `curate` builds the steps that come from raw files.
 * `aggregate` builds the steps that come from the partitions of that state.
 * @throws PipelineError INVALID_MODEL for a measure that needs both, and for an audit of provision that reads a
 * measure of raw files.
 */
export function stepsOfStages(plan: Plan, stages: readonly Stage[]): PlannedStep[] {
  const aggregated = new Set<string>();
  const atRest = namesOf(measuresAtRest(plan));
  // In the order of the plan a step comes after its sources.
  for (const { model, reads } of plan.steps) {
    const ofRaw = reads.find((name) => name.startsWith("measures.") && !atRest.has(name));
    if (model.layer === "provision" && ofRaw !== undefined) {
      throw new PipelineError(
        "INVALID_MODEL",
        `${model.file}: its audits cannot read ${ofRaw}, because a run of the aggregate stage alone has no raw data`,
      );
    }
    const readsAggregated = reads.some((name) => aggregated.has(name));
    if (model.layer === "provision" || (isMeasure(model) && readsAggregated)) aggregated.add(model.name);
    if (isMeasure(model) && readsAggregated && !atRest.has(model.name)) {
      throw new PipelineError(
        "INVALID_MODEL",
        `${model.file}: a measure of provision cannot read raw, because a run of the aggregate stage alone has no raw data`,
      );
    }
  }
  // A step that only reads existing partitions runs in the stage of its readers, so that this stage can run alone.
  for (const { model, reads } of plan.steps.toReversed())
    if (aggregated.has(model.name)) for (const name of reads) if (atRest.has(name)) aggregated.add(name);
  const stageOf = (name: string): Stage => (aggregated.has(name) ? "aggregate" : "curate");
  return stages.flatMap((stage) => plan.steps.filter(({ model }) => stageOf(model.name) === stage));
}

/** The measures of a plan that only read existing partitions. */
export function measuresAtRest({ steps }: Plan): PlannedStep[] {
  const atRest: PlannedStep[] = [];
  for (const step of steps.filter(({ model }) => isMeasure(model))) {
    const readsRaw = step.reads.some((name) => name.startsWith("raw."));
    const measures = step.reads.filter((name) => name.startsWith("measures."));
    if (!readsRaw && measures.every((name) => namesOf(atRest).has(name))) atRest.push(step);
  }
  return atRest;
}

function namesOf(steps: readonly PlannedStep[]): Set<string> {
  return new Set(steps.map(({ model }) => model.name));
}
