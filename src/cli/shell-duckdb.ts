import { execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { EndingSignal } from "../base/ending-signals.js";
import { cancelled, messageOf, PipelineError } from "../base/errors.js";
import type { DuckDbStart } from "../introspect/duckdb-command.js";
import { childEnvironment } from "../settings/settings.js";
import type { Cancellation } from "./cancel.js";

/** The oldest version that supports the init file. */
const OLDEST = [1, 5] as const;

/** The version of the `duckdb` command, for example `1.5.5`; undefined if there is no working one. */
export async function duckDbVersion(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)("duckdb", ["-version"]);
    return /^v?(\d+\.\d+\.\d+)/.exec(stdout.trim())?.[1];
  } catch {
    return undefined;
  }
}

/** Whether a version of the `duckdb` command supports the whole init file. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1]);
}

/**
 * Gives the terminal to the `duckdb` command, with the views in place, until the user leaves it. Its exit code is
 * that of the last statement, whose result the user has seen.
 * @param options of the command, for example `-json`.
 * @throws PipelineError INVALID_USAGE if it does not start, CANCELLED on SIGTERM and SIGHUP.
 */
export async function runDuckDb(
  { init, environment }: DuckDbStart,
  options: readonly string[],
  cancellation: Cancellation,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-shell-"));
  try {
    const file = path.join(folder, "init.sql");
    await writeFile(file, init);
    await interactive(["-init", file, ...options], environment, cancellation);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function interactive(
  args: readonly string[],
  environment: DuckDbStart["environment"],
  cancellation: Cancellation,
): Promise<void> {
  const child = spawn("duckdb", args, { stdio: "inherit", env: childEnvironment(environment) });
  // Both processes receive the signals of a terminal. The other one handles Ctrl-C.
  const handle = (signal: EndingSignal) => {
    if (signal === "SIGINT") return;
    cancellation.abort(signal);
    child.kill(signal);
  };
  const ended = new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  try {
    await cancellation.handledBy(handle, () => ended);
    if (cancellation.signal.aborted) throw cancelled(cancellation.signal);
  } catch (error) {
    if (error instanceof PipelineError) throw error;
    throw new PipelineError("INVALID_USAGE", `the command duckdb does not start: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
