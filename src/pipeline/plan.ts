import { createHash } from "node:crypto";
import type { Severity, Threshold } from "../models/header.js";
import type { SqlVersion } from "../models/load.js";
import {
  isPublished,
  isWritten,
  publishedColumns,
  usedAudit,
  usesOf,
  type Inspection,
  type Model,
  type WrittenModel,
} from "../models/model.js";
import { orderByReference, type Step } from "../models/order.js";
import type { RawPart } from "../models/raw-part.js";
import { createRenderer, type Rendered, type Renderer } from "../models/template.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { SEGMENT_KINDS, type Segments } from "../voucher/segments.js";

/** The longest text of a published column whose header says nothing of it, in code points. */
export const DEFAULT_MAX_LENGTH = 255;

/** What a run fills into the templates. */
export interface PlanInput {
  readonly executionDate: ExecutionDate;
  readonly maxRejectedShare: string;
  /** What the path of each raw file begins with. */
  readonly rawRoot: string;
  /** The raw files of each raw model, by its name. */
  readonly rawParts: ReadonlyMap<string, readonly RawPart[]>;
}

/** An audit rendered for one model. */
export interface AuditStep {
  readonly audit: string;
  readonly file: string;
  /** The promise that it watches. */
  readonly promise: string;
  readonly severity: Severity;
  readonly threshold: Threshold;
  readonly rendered: Rendered;
}

/** A model with its SQL and its audits, all rendered for one execution date. */
export interface PlannedStep extends Step {
  readonly rendered: Rendered;
  readonly audits: readonly AuditStep[];
}

/** Everything that a run will say to the engine, in order. */
export interface Plan {
  readonly functions: { readonly file: string; readonly sql: string };
  readonly steps: readonly PlannedStep[];
}

/**
 * Renders every model, audit and function of a SQL version for one execution date.
 * @throws PipelineError INVALID_MODEL for a template that is at fault.
 */
export function planRun(version: SqlVersion, input: PlanInput): Plan {
  const renderer = rendererOf(version);
  const variables = variablesOf(version, input);
  const steps = version.models.map((model): PlannedStep => {
    const rendered = render(renderer, variables, model, input);
    const audits = auditsOf(model, version, renderer, ownVariables(variables, model, input));
    const audited = audits
      .flatMap((audit) => audit.rendered.references)
      .filter((name) => name !== model.name);
    return { model, rendered, audits, reads: [...new Set([...rendered.references, ...audited])] };
  });
  const { file, template } = version.functions;
  return {
    functions: { file, sql: renderer.render(file, template, variables).sql },
    steps: orderByReference(steps),
  };
}

/** SHA-256 over everything that a plan says to the engine. */
export function planHash({ functions, steps }: Plan): string {
  const hash = createHash("sha256").update(functions.sql);
  for (const { rendered, audits } of steps) {
    for (const { sql } of [rendered, ...audits.map((audit) => audit.rendered)]) hash.update(`\0${sql}`);
  }
  return hash.digest("hex");
}

/** The SQL of one model alone. */
export function renderModel(version: SqlVersion, model: Model, input: PlanInput): string {
  return render(rendererOf(version), variablesOf(version, input), model, input).sql;
}

/** The SQL of an inspection: it is the same whatever files are inspected. */
export function renderInspection(
  version: SqlVersion,
  { file, template }: Inspection,
  input: PlanInput,
): string {
  return rendererOf(version).render(file, template, variablesOf(version, input)).sql;
}

function rendererOf({ models }: SqlVersion): Renderer {
  return createRenderer(new Set(models.map(({ name }) => name)));
}

function render(renderer: Renderer, variables: object, model: Model, input: PlanInput): Rendered {
  return renderer.render(model.file, model.template, ownVariables(variables, model, input));
}

/** What the templates of a model and of its audits can say. */
function ownVariables(variables: object, { name }: Model, { rawParts }: PlanInput): object {
  return { ...variables, raw_parts: rawParts.get(name) ?? [] };
}

/** What every template of a version can say. */
function variablesOf({ segments }: SqlVersion, input: PlanInput): object {
  return {
    execution_date: input.executionDate.timestamp,
    partition_key: input.executionDate.partitionKey,
    max_rejected_share: input.maxRejectedShare,
    segments: segmentVariables(segments),
    raw_zone: input.rawRoot,
  };
}

/** The columns of a published model's table, with the length of every text. */
function publishedTexts(model: WrittenModel): { name: string; max_length: number }[] {
  return publishedColumns(model)
    .filter(([, { type }]) => type === "VARCHAR")
    .map(([name, { max_length = DEFAULT_MAX_LENGTH }]) => ({ name, max_length }));
}

function auditsOf(model: Model, version: SqlVersion, renderer: Renderer, variables: object): AuditStep[] {
  return usesOf(model).map((use) => {
    const { audit: name, parameters, severity, threshold } = use;
    const audit = usedAudit(model, use, version.audits);
    if (audit === undefined) throw new RangeError(`no audit ${name}`);
    const rendered = renderer.render(audit.file, audit.template, {
      ...variables,
      ...parameters,
      model: modelVariables(model),
    });
    const { header } = audit;
    return {
      audit: name,
      file: audit.file,
      promise: header.description.trim(),
      // What the model says of its own use wins.
      severity: severity ?? header.severity,
      threshold: threshold ?? header.threshold,
      rendered,
    };
  });
}

/** What a template can say of the model it belongs to. */
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
