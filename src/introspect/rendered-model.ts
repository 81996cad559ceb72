import { PipelineError } from "../base/errors.js";
import { isRaw } from "../models/model.js";
import { planRun } from "../run/plan.js";
import { planInput } from "../run/raw-input.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { looking } from "./looking.js";
import { renderRun } from "./planned-run.js";

/** The SQL of a model and of its audits, as a run fills it in. */
export interface RenderedModel {
  readonly model: string;
  readonly file: string;
  readonly sql: string;
  readonly audits: readonly { readonly audit: string; readonly file: string; readonly sql: string }[];
}

export interface RenderRequest {
  /** As `curated.vouchers`. */
  readonly model: string;
  readonly executionDate: ExecutionDate;
}

/**
 * Renders one model for an execution date. Raw files are looked at only for a model that reads them.
 * @throws PipelineError INVALID_USAGE where there is no such model.
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
      throw new PipelineError("INVALID_USAGE", `there is no model ${name}; there are ${names.join(", ")}`);
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
