import { mkdtemp, readdir, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../errors.js";
import { makeFolder } from "../make-folder.js";

/**
 * A folder of the session's own, so that what spills to disk never meets another session's. What processes of this machine
 * have left that are dead is removed.
 * @throws PipelineError INVALID_SETTINGS where the parent cannot be used, STORAGE_FULL where it has no room.
 */
export async function makeTempDirectory(parent: string): Promise<string> {
  try {
    await makeFolder(parent);
    for (const name of await readdir(parent)) {
      if (isOfDeadProcess(name)) await rm(path.join(parent, name), { recursive: true, force: true });
    }
    return await mkdtemp(path.join(parent, `${prefix()}${process.pid}-`));
  } catch (error) {
    const isFull = ["ENOSPC", "EDQUOT"].includes(systemCodeOf(error) ?? "");
    throw new PipelineError(
      isFull ? "STORAGE_FULL" : "INVALID_SETTINGS",
      `DUCKDB_TEMP_DIRECTORY cannot be used: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Another machine, or another container, can share the parent; process ids mean nothing across them. */
function prefix(): string {
  return `run-${os.hostname()}-`;
}

function isOfDeadProcess(name: string): boolean {
  if (!name.startsWith(prefix())) return false;
  const [, pid] = /^(\d+)-/.exec(name.slice(prefix().length)) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return systemCodeOf(error) === "ESRCH";
  }
}
