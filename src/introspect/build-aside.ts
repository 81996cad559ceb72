import path from "node:path";
import { duckDbBuilder, type Engine } from "../engine/duckdb/duckdb-engine.js";
import type { Stage } from "../record/stages.js";
import type { RunActivity } from "../run/activity.js";
import { buildModels, type Built } from "../run/build.js";
import type { PlanContext, RawInput } from "../run/context.js";
import { planRun, stepsOfStages } from "../run/plan.js";
import { inspectRaw, planInput } from "../run/raw-input.js";
import { runEngines, runSession } from "../run/run-engine.js";
import type { Settings } from "../settings/settings.js";
import { openLocalZone } from "../zones/folder-zone.js";
import type { Zones } from "../zones/open-zones.js";
import type { Zone } from "../zones/zone.js";

/** The raw files and the stages of a build. */
export interface AsideBuild {
  readonly raw: readonly RawInput[];
  readonly stages: readonly Stage[];
  /** Names the folders of the staged files. */
  readonly runId: string;
  /** Partitions that are read as they are. */
  readonly atRestFiles: readonly string[];
}

/** The signal and the listeners of a build. */
export interface AsideWatch {
  readonly signal: AbortSignal;
  readonly activity: RunActivity;
  /** Receives the warnings of the engine. */
  readonly warn: (message: string) => void;
}

/** The settings of a build aside. DuckDB gives the same rows as a cluster. */
export function settingsAside(settings: Settings): Settings {
  return { ...settings, engine: { kind: "duckdb" } };
}

/** The same zones, except that curated and provision are written below a folder of this machine. */
export async function zonesAside(zones: Zones, folder: string): Promise<Zones> {
  return {
    ...zones,
    curated: readingElsewhere(await openLocalZone(path.join(folder, "curated")), zones.curated),
    provision: readingElsewhere(await openLocalZone(path.join(folder, "provision")), zones.provision),
  };
}

/** A zone to write, which finds partitions that are at rest in another. */
function readingElsewhere(written: Zone, resting: Zone): Zone {
  return {
    ...written,
    find: (partition) => resting.find(partition),
    read: (file) => (file.uri.startsWith(`${written.root}/`) ? written : resting).read(file),
  };
}

/**
 * Builds and audits the models of some stages as a run does, in zones of `zonesAside`. Nothing is committed, published or recorded.
 * @param use can read every built model until it resolves.
 */
export async function buildAside<Result>(
  context: PlanContext,
  { raw, stages, runId, atRestFiles }: AsideBuild,
  { signal, activity, warn }: AsideWatch,
  use: (engine: Engine, built: Built) => Promise<Result>,
): Promise<Result> {
  const { settings, version, zones } = context;
  const reach = {
    directories: [zones.curated.root, zones.provision.root],
    files: [...raw.flatMap(({ files }) => files.map(({ uri }) => uri)), ...atRestFiles],
  };
  const withNewEngine = runEngines(runSession({ settings, signal, zones }, warn), reach);
  return withNewEngine(async (engine) => {
    activity.percent = () => engine.progress();
    const rawParts = await activity.during("raw files", () =>
      inspectRaw(context, engine, raw, withNewEngine, zones.curated.root),
    );
    const plan = planRun(version, planInput(context, rawParts.byModel));
    const built = await buildModels(
      {
        ...context,
        builder: duckDbBuilder(engine),
        runId,
        activity,
        journal: { noteAudits: () => undefined, noteMeasure: () => undefined },
        raw: rawParts,
      },
      plan,
      stepsOfStages(plan, stages),
    );
    return use(engine, built);
  });
}
