import { withDuckDb, type Reach, type StartOptions } from "../engine/duckdb.js";
import type { Engine } from "../engine/engine.js";
import type { RunContext } from "./context.js";

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

/** Opens engines that may touch the same. */
export function runEngines(session: StartOptions, reach: Reach): WithRunEngine {
  return (use) => withDuckDb({ ...session, reach }, use);
}
