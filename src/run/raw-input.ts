import { sideBySide } from "../base/concurrency.js";
import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { Engine } from "../engine/duckdb/duckdb-engine.js";
import { SPARK, sparkRefusal, type RawPart } from "../models/dialect.js";
import { isRaw } from "../models/model.js";
import {
  groupFiles,
  inspectForCluster,
  inspectRawFiles,
  listRawFiles,
  probeRawFiles,
  type WithNewEngine,
} from "../raw/inspect-raw.js";
import { shapesOf } from "../raw/raw-file.js";
import type { InputFile, RawColumns } from "../record/run-record.js";
import type { Settings } from "../settings/settings.js";
import { sha256Of, type Zone, type ZoneFile } from "../zones/zone.js";
import type { RunContext, PlanContext, RawInput, RawParts, RawSource } from "./context.js";
import { planRun, renderModel, type PlanInput, type Cluster } from "./plan.js";

/** The raw zone itself. */
export const rawZone: RawSource = {
  find: findRawFiles,
  inspect: (context, engine, inputs, withNewEngine) =>
    inspectRaw(context, engine, inputs, withNewEngine, engine.folder),
  inputFiles: inputFilesOf,
  stateOf: ({ identity }) => identity,
  typedFiles: [],
};

/**
 * Lists the files of every raw model.
 * @throws PipelineError RAW_ZONE_EMPTY if a model has none, INVALID_SETTINGS if a link leads to a folder that runs
 * write.
 */
export async function findRawFiles({
  version,
  zones,
}: Pick<RunContext, "version" | "zones">): Promise<RawInput[]> {
  const inputs: RawInput[] = [];
  for (const model of version.models.filter(isRaw)) {
    inputs.push({ model, ...(await listRawFiles(zones.raw, model)) });
  }
  return inputs;
}

/**
 * Inspects the columns of all raw files.
 * @param withNewEngine opens an engine for the search for faults: after a fault an engine may not be usable.
 * @param folder of this machine for copies of raw files, which all engines can reach; undefined for no copies.
 * @throws PipelineError RAW_FILE_UNREADABLE that names every faulty file of the first model that has any.
 */
export async function inspectRaw(
  context: PlanContext,
  engine: Engine,
  inputs: readonly RawInput[],
  withNewEngine: WithNewEngine,
  folder: string | undefined,
): Promise<RawParts> {
  const { version, zones } = context;
  const byModel = new Map<string, RawPart[]>();
  const columns: RawColumns[] = [];
  const copies: string[] = [];
  for (const { model, files } of inputs) {
    const inspectFiles = clusterOf(context.settings) === undefined ? inspectRawFiles : inspectForCluster;
    const inspected = await inspectFiles(engine, withNewEngine, zones.raw, model, files, folder);
    byModel.set(model.name, groupFiles(inspected, model.header.reads, zones.raw.root));
    copies.push(...inspected.flatMap(({ copy }) => copy?.uri ?? []));
    columns.push(...shapesOf(inspected).map((shape) => ({ model: model.name, ...shape })));
  }
  const probe = async () => {
    for (const { model, files } of inputs) {
      const parts = byModel.get(model.name) ?? [];
      const selectOf = (part: RawPart) =>
        renderModel(version, model, planInput(context, new Map([[model.name, [part]]])));
      const withFunctions: WithNewEngine = (use) =>
        withNewEngine(async (newEngine) => {
          await newEngine.run(planRun(version, planInput(context, byModel)).functions.sql);
          await use(newEngine);
        });
      await probeRawFiles(withFunctions, zones.raw, files, parts, selectOf);
    }
  };
  // Parallel models can fail at the same time.
  let probing: Promise<void> | undefined;
  return { byModel, columns, copies, explainFault: () => (probing ??= probe()), typed: () => undefined };
}

/** The input files of a run. A file has a hash if its version does not come from its content. */
export async function inputFilesOf(zone: Zone, inputs: readonly RawInput[]): Promise<InputFile[]> {
  const files = inputs.flatMap((input) => input.files);
  return sideBySide(files, async (file) => {
    const { path, bytes, version } = file;
    const known = { path, bytes, version };
    return zone.versionsTellContent ? known : { ...known, sha256: await sha256Of(zone, file) };
  });
}

/**
 * Reads raw files, and checks that they are still the listed ones. So all read, hashed and counted bytes belong to
 * the same files. Files that arrived meanwhile are for the next run.
 * @param stateOf the property that must stay the same: by default everything that tells other bytes, also of the same
 * size and time.
 * @throws PipelineError RAW_FILES_CHANGED with the names of the files that changed. It replaces an error of the work,
 * because the change may be the cause.
 */
export async function readingUnchanged<Result>(
  context: Pick<RunContext, "signal" | "zones">,
  inputs: readonly RawInput[],
  work: () => Promise<Result>,
  stateOf: RawSource["stateOf"] = rawZone.stateOf,
): Promise<Result> {
  const findChanged = () => changedFiles(context, inputs, stateOf);
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    // If the list fails, too, the first fault is the one to report.
    const changed = context.signal.aborted ? [] : await findChanged().catch(() => []);
    if (changed.length > 0) await throwChanged(context, changed);
    throw error;
  }
  const changed = await findChanged();
  if (changed.length > 0) await throwChanged(context, changed);
  return result;
}

/** Reports that raw files have changed, or that their versions on the server are not reliable. */
async function throwChanged(
  { zones }: Pick<RunContext, "zones">,
  changed: readonly ZoneFile[],
): Promise<never> {
  for (const file of changed.slice(0, 1)) await zones.raw.assertConsistent?.(file);
  throw filesChanged(changed);
}

async function changedFiles(
  { zones }: Pick<RunContext, "zones">,
  inputs: readonly RawInput[],
  stateOf: RawSource["stateOf"],
): Promise<ZoneFile[]> {
  const listed = await Promise.all(inputs.map(({ model }) => zones.raw.list(model.header.folder)));
  const now = new Map(listed.flat().map((file) => [file.path, stateOf(file)]));
  return inputs.flatMap(({ files }) => files.filter((file) => now.get(file.path) !== stateOf(file)));
}

function filesChanged(changed: readonly ZoneFile[]): PipelineError {
  const names = changed.map(({ path }) => `\n  ${printable(path)}`).join("");
  return new PipelineError(
    "RAW_FILES_CHANGED",
    `raw files were replaced, changed or removed while they were read; run again:${names}`,
  );
}

/** The values for the templates of a run. */
export function planInput(
  { executionDate, settings, zones }: PlanContext,
  rawParts: ReadonlyMap<string, readonly RawPart[]>,
): PlanInput {
  return {
    executionDate,
    maxRejectedShare: settings.maxRejectedShare,
    rawRoot: zones.raw.root,
    rawParts,
    cluster: clusterOf(settings),
  };
}

/** The cluster for large models; undefined if DuckDB computes everything. */
export function clusterOf({ engine }: Pick<Settings, "engine">): Cluster | undefined {
  return engine.kind === "duckdb" ? undefined : { dialect: SPARK, refuses: sparkRefusal };
}
