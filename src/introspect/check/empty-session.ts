import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { Reach, StartOptions } from "../../engine/duckdb/duckdb.js";
import type { Settings } from "../../settings/settings.js";

/** Gives some work the options of sessions that reach one empty folder and nothing else. The folder stands for the raw zone. */
export async function withEmptyFolder<Result>(
  settings: Settings,
  signal: AbortSignal,
  use: (session: StartOptions & { readonly reach: Reach }, folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-"));
  const session = {
    settings: settings.duckdb,
    reach: { directories: [folder], files: [] },
    signal,
    warn: () => undefined,
    leavesNoTrace: true,
  };
  try {
    return await use(session, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
