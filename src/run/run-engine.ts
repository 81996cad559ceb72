import { type Builder } from "../engine/builder.js";
import { duckDbBuilder, type Engine } from "../engine/duckdb/duckdb-engine.js";
import { withDuckDb, type Reach, type StartOptions } from "../engine/duckdb/duckdb.js";
import { isWritten, type WrittenModel } from "../models/model.js";
import type { Stage } from "../record/stages.js";
import { stagingOfRun } from "../zones/zone.js";
import { filesAtRest } from "./build.js";
import type { RunContext, RawInput } from "./context.js";

/** The builder of a run's models, until it is closed. */
export interface OpenBuilder {
  readonly builder: Builder;
  readonly close: () => Promise<void>;
}

/** Opens the builder of a run's models: DuckDB, together with the cluster of the settings if there is one. */
export async function openBuilder(
  { runId, settings, signal, zones }: Pick<RunContext, "runId" | "settings" | "signal" | "zones">,
  engine: Engine,
): Promise<OpenBuilder> {
  if (settings.engine.kind === "duckdb")
    return { builder: duckDbBuilder(engine), close: () => Promise.resolve() };
  // Loaded only if needed: most runs have no cluster.
  const [{ openSparkSession }, { sparkBuilder }] = await Promise.all([
    import("../engine/spark/spark-session.js"),
    import("../engine/spark/spark-builder.js"),
  ]);
  const session = await openSparkSession(settings.engine, signal);
  const { curated } = zones;
  const workspace = {
    folder: `${curated.root}/${stagingOfRun(runId)}`,
    list: (folder: string) => curated.list(folder.slice(curated.root.length + 1)),
  };
  return { builder: sparkBuilder(engine, session, workspace), close: () => session.close() };
}

/** Opens an engine, works with it, and closes it. */
type WithRunEngine = <Result>(use: (engine: Engine) => Promise<Result>) => Promise<Result>;

/**
 * The start options of an engine that makes the files of a run, or makes them again. The input files stay the same,
 * so the engine caches them: a run checks the raw files again before it commits.
 */
export function runSession(
  { settings, signal, zones }: Pick<RunContext, "settings" | "signal" | "zones">,
  warn: (message: string) => void,
): StartOptions {
  return { settings: settings.duckdb, s3: zones.s3, signal, warn, keepsWhatItRead: true };
}

/** Opens engines with the same permissions. */
export function runEngines(session: StartOptions, reach: Reach): WithRunEngine {
  return (use) => withDuckDb({ ...session, reach }, use);
}

const STAGE_OF_LAYER: Record<WrittenModel["layer"], Stage> = { curated: "curate", provision: "aggregate" };

/**
 * The paths that the engine may use in a run: its own staging, the raw files, and the existing partitions of its date
 * that it reads. A model cannot read other files, nor write where readers look.
 */
export async function reachOf(context: RunContext, inputs: readonly RawInput[]): Promise<Reach> {
  const { raw, runId, stages, version, zones } = context;
  const resting = version.models
    .filter(isWritten)
    .filter(({ layer }) => !stages.includes(STAGE_OF_LAYER[layer]));
  const atRest = await filesAtRest(context, resting);
  return {
    directories: [zones.curated, zones.provision].map(({ root }) => `${root}/${stagingOfRun(runId)}`),
    files: [...inputs.flatMap(({ files }) => files.map(({ uri }) => uri)), ...raw.typedFiles, ...atRest],
  };
}
