import { mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../errors.js";
import { tryFileLock, type FileLock } from "../file-lock.js";
import { makeFolder } from "../make-folder.js";

/** A folder for temporary files that belongs to this process. */
export interface TempDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** Holds the lock of its folder. */
const LOCK_FILE = "lock";
/** A folder that is made has this name until its lock is taken: nobody takes it for one that is left behind. */
const NEW = "new-";
const OWNED = "session-";
/** A process that is stopped while it makes a folder does not come back so late. */
const ABANDONED_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * Makes a folder in which nothing meets the files of another session, and removes those that dead processes have left. Processes of
 * several containers can share the parent: each owns its folders by locks, which end with it.
 * @throws PipelineError INVALID_SETTINGS if the parent cannot be used, STORAGE_FULL if it has no room.
 */
export async function makeTempDirectory(parent: string): Promise<TempDirectory> {
  try {
    await makeFolder(parent);
    for (const name of await readdir(parent)) await removeIfDead(parent, name);
    const made = await mkdtemp(path.join(parent, NEW));
    const lock = await lockOf(made);
    const folder = path.join(parent, path.basename(made).replace(NEW, OWNED));
    await rename(made, folder);
    return {
      path: folder,
      remove: async () => {
        lock?.release();
        await removeFolder(folder);
      },
    };
  } catch (error) {
    const isFull = ["ENOSPC", "EDQUOT", "SQLITE_FULL"].includes(systemCodeOf(error) ?? "");
    throw new PipelineError(
      isFull ? "STORAGE_FULL" : "INVALID_SETTINGS",
      `DUCKDB_TEMP_DIRECTORY cannot be used: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** @returns undefined on a file system without locks. There, nobody can tell a folder that is left behind, and it stays for a day. */
async function lockOf(folder: string): Promise<FileLock | undefined> {
  const file = path.join(folder, LOCK_FILE);
  try {
    return await tryFileLock(file);
  } catch (error) {
    if (!/^SQLITE_(IOERR|PROTOCOL|NOLFS)/.test(systemCodeOf(error) ?? "")) throw error;
    await rm(file, { force: true });
    return undefined;
  }
}

async function removeIfDead(parent: string, name: string): Promise<void> {
  const folder = path.join(parent, name);
  // What cannot be removed, such as another user's, is not in the way.
  const remove = () => removeFolder(folder).catch(() => undefined);
  if (isOfDeadProcess(name)) return remove();
  if (!name.startsWith(NEW) && !name.startsWith(OWNED)) return;
  const locked = path.join(folder, LOCK_FILE);
  if (name.startsWith(NEW) || (await ageOf(locked)) === undefined) {
    const age = await ageOf(folder);
    if (age !== undefined && age > ABANDONED_MILLISECONDS) await remove();
    return;
  }
  // Another process can remove it meanwhile, and one that cannot be looked at is not in the way.
  const lock = await tryFileLock(locked).catch(() => undefined);
  if (lock === undefined) return;
  await remove();
  lock.release();
}

/** Another process can look at its lock at the same time. */
function removeFolder(folder: string): Promise<void> {
  return rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** How many milliseconds ago a file or folder changed; undefined if there is none. */
async function ageOf(place: string): Promise<number | undefined> {
  try {
    return Date.now() - (await stat(place)).mtimeMs;
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCodeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Of folders that versions without locks have made, and named by host and process. */
function isOfDeadProcess(name: string): boolean {
  const prefix = `run-${os.hostname()}-`;
  if (!name.startsWith(prefix)) return false;
  const [, pid] = /^(\d+)-/.exec(name.slice(prefix.length)) ?? [];
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return systemCodeOf(error) === "ESRCH";
  }
}
