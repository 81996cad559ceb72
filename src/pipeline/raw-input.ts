import type { Engine } from "../engine/engine.js";
import { PipelineError } from "../errors.js";
import { isRaw, type RawModel } from "../models/model.js";
import type { RawPart } from "../models/raw-part.js";
import { inspectRawFiles, listRawFiles, probeRawFiles } from "../raw/inspect.js";
import type { ZoneFile } from "../zones/zone.js";
import type { RunContext } from "./context.js";
import { renderModel, type PlanInput } from "./plan.js";

/** A raw model and the files it reads. */
export interface RawInput {
  readonly model: RawModel;
  readonly files: readonly ZoneFile[];
}

/** Raw files whose columns are known and good. */
export interface RawParts {
  readonly byModel: ReadonlyMap<string, readonly RawPart[]>;
  /**
   * Reads every raw file by itself, after a scan has failed.
   * @throws PipelineError RAW_FILE_UNREADABLE that names those at fault; returns where none is.
   */
  explainFault(): Promise<void>;
}

/**
 * Lists the files of every raw model.
 * @throws PipelineError RAW_ZONE_EMPTY where a model has none, INVALID_SETTINGS where a run would read what it writes.
 */
export async function findRawFiles({ version, zones }: RunContext): Promise<RawInput[]> {
  const inputs: RawInput[] = [];
  for (const model of version.models.filter(isRaw)) {
    const folder = `${zones.raw.root}/${model.header.folder}`;
    for (const { root } of [zones.curated, zones.provision]) {
      if (!`${root}/`.startsWith(`${folder}/`)) continue;
      throw new PipelineError("INVALID_SETTINGS", `the zone ${root} lies among the raw files of ${folder}`);
    }
    inputs.push({ model, files: await listRawFiles(zones.raw, model) });
  }
  return inputs;
}

/**
 * Looks at the columns of all raw files.
 * @throws PipelineError RAW_FILE_UNREADABLE that names every file at fault of the first model that has any.
 */
export async function inspectRaw(
  context: RunContext,
  engine: Engine,
  inputs: readonly RawInput[],
): Promise<RawParts> {
  const { version, zones } = context;
  const byModel = new Map<string, RawPart[]>();
  for (const { model, files } of inputs) {
    byModel.set(model.name, await inspectRawFiles(engine, zones.raw, model, files));
  }
  const probe = async () => {
    for (const { model, files } of inputs) {
      const parts = byModel.get(model.name) ?? [];
      const selectOf = (part: RawPart) =>
        renderModel(version, model, planInput(context, new Map([[model.name, [part]]])));
      await probeRawFiles(engine, files, parts, selectOf);
    }
  };
  // Models that run side by side fail side by side.
  let probing: Promise<void> | undefined;
  return { byModel, explainFault: () => (probing ??= probe()) };
}

/** What a run fills into its templates. */
export function planInput(
  { executionDate, settings, zones }: RunContext,
  rawParts: ReadonlyMap<string, readonly RawPart[]>,
): PlanInput {
  return { executionDate, maxRejectedShare: settings.maxRejectedShare, rawRoot: zones.raw.root, rawParts };
}
