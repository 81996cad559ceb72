import { PipelineError } from "../base/errors.js";
import { duckDbBuilder, type Builder } from "../engine/builder.js";
import { withDuckDb, type Reach, type StartOptions } from "../engine/duckdb.js";
import type { Engine } from "../engine/engine.js";
import { isPlainToSpark } from "../sql-text/spark-literal.js";
import { stagingOfRun } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/** Does something with who builds the models of a run: DuckDB, or beside it the cluster that the settings name. */
export async function withBuilder<Result>(
  { runId, settings, signal, zones }: Pick<RunContext, "runId" | "settings" | "signal" | "zones">,
  engine: Engine,
  use: (builder: Builder) => Promise<Result>,
): Promise<Result> {
  if (settings.engine.kind === "duckdb") return use(duckDbBuilder(engine));
  for (const { root } of [zones.curated, zones.provision]) assertPlain(root);
  // Loaded where it is asked for: most runs have no cluster.
  const [{ openSparkSession }, { sparkBuilder }] = await Promise.all([
    import("../engine/spark/session.js"),
    import("../engine/spark/builder.js"),
  ]);
  const session = await openSparkSession(settings.engine, signal);
  try {
    const { curated } = zones;
    const workspace = {
      folder: `${curated.root}/${stagingOfRun(runId)}`,
      list: (folder: string) => curated.list(folder.slice(curated.root.length + 1)),
    };
    return await use(sparkBuilder(engine, session, workspace));
  } finally {
    await session.close();
  }
}

/** Opens an engine, does something with it, and closes it. */
export type WithRunEngine = <Result>(use: (engine: Engine) => Promise<Result>) => Promise<Result>;

/**
 * What an engine is started with that makes the files of a run, or makes them again. It reads files that stay as they are, and so keeps
 * what it has read: a run looks at the raw files once more before it commits.
 */
export function runSession(
  { settings, signal, zones }: Pick<RunContext, "settings" | "signal" | "zones">,
  warn: (message: string) => void,
): StartOptions {
  return { settings: settings.duckdb, s3: zones.s3, signal, warn, keepsWhatItRead: true };
}

/** @throws PipelineError INVALID_SETTINGS for a zone whose name Hadoop's client would take for a pattern. */
function assertPlain(root: string): void {
  if (isPlainToSpark(root)) return;
  throw new PipelineError(
    "INVALID_SETTINGS",
    `Spark cannot read and write ${root}: give the zone a name of letters, digits and . - _`,
  );
}

/** Opens engines that may touch the same. */
export function runEngines(session: StartOptions, reach: Reach): WithRunEngine {
  return (use) => withDuckDb({ ...session, reach }, use);
}
