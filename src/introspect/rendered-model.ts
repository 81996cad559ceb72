import { PipelineError } from "../base/errors.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import type { RawPart } from "../models/dialect.js";
import { isRaw } from "../models/model.js";
import type { WithNewEngine } from "../raw/inspect-raw.js";
import type { RawInput, RunContext } from "../run/context.js";
import type { Plan } from "../run/plan.js";
import { planRun } from "../run/plan.js";
import { findRawFiles, inspectRaw, planInput } from "../run/raw-input.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { looking } from "./looking.js";

/** The rendered SQL of a model and of its audits. */
export interface RenderedModel {
  readonly model: string;
  readonly file: string;
  readonly sql: string;
  readonly audits: readonly { readonly audit: string; readonly file: string; readonly sql: string }[];
}

export interface RenderRequest {
  /** For example `curated.vouchers`. */
  readonly model: string;
  readonly executionDate: ExecutionDate;
}

/**
 * Renders one model for an execution date. It inspects raw files only for a model that reads them.
 * @throws PipelineError INVALID_USAGE if there is no such model.
 */
export function renderOne(
  settings: Settings,
  { model: name, executionDate }: RenderRequest,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<RenderedModel> {
  return looking(settings, signal, async (opened) => {
    const version = await opened.sql();
    const names = version.models.map((model) => model.name);
    if (!names.includes(name)) {
      throw new PipelineError("INVALID_USAGE", `unknown model ${name}; known models: ${names.join(", ")}`);
    }
    const zones = await opened.zones();
    const context = { executionDate, settings, version, zones, signal, warn };
    const readsFiles = version.models.some((model) => model.name === name && isRaw(model));
    const plan = readsFiles
      ? (await renderRun(context)).plan
      : planRun(version, planInput(context, new Map()));
    const [step] = plan.steps.filter(({ model }) => model.name === name);
    if (step === undefined) throw new RangeError(`no step ${name}`);
    const { model, rendered, audits } = step;
    return {
      model: name,
      file: model.file,
      sql: rendered.sql,
      audits: audits.map(({ audit, file, rendered: { sql } }) => ({ audit, file, sql })),
    };
  });
}

/** The inputs for rendering, and a receiver for late faults. */
export interface RenderContext extends Pick<
  RunContext,
  "executionDate" | "settings" | "version" | "zones" | "signal"
> {
  readonly warn: (message: string) => void;
}

/** The inputs of a run, and its statements for the engine. */
export interface RenderedRun {
  readonly engine: string;
  readonly inputs: readonly (RawInput & { readonly parts: readonly RawPart[] })[];
  readonly plan: Plan;
}

/**
 * Inspects the raw files as a run does, because the SQL depends on their columns, and renders the statements of the
 * run. It creates nothing, neither in the zones nor on this machine.
 * @throws PipelineError RAW_ZONE_EMPTY, RAW_FILE_UNREADABLE or INVALID_MODEL.
 */
export async function renderRun(context: RenderContext): Promise<RenderedRun> {
  const { settings, signal, version, warn, zones } = context;
  const found = await findRawFiles(context);
  const session = {
    settings: settings.duckdb,
    s3: zones.s3,
    reach: { directories: [], files: found.flatMap(({ files }) => files.map(({ uri }) => uri)) },
    signal,
    warn,
    leavesNoTrace: true,
  };
  const withNewEngine: WithNewEngine = (use) => withDuckDb(session, use);
  return withDuckDb(session, async (engine) => {
    const { byModel } = await inspectRaw(context, engine, found, withNewEngine, undefined);
    return {
      engine: engine.version,
      inputs: found.map((input) => ({ ...input, parts: byModel.get(input.model.name) ?? [] })),
      plan: planRun(version, planInput(context, byModel)),
    };
  });
}
