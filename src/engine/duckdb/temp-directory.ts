import { mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import { tryFileLock, type FileLock } from "../../base/file-lock.js";
import { makeFolder } from "../../base/files.js";
import { TEMPORARY_FOLDERS } from "../../settings/settings.js";

/** A folder for temporary files that belongs to this process. */
export interface TempDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** Holds the lock of its folder. */
const LOCK_FILE = "lock";
/** Until the lock of a new folder is taken, another process may remove it. */
const { new: NEW, owned: OWNED } = TEMPORARY_FOLDERS;
/** Each try can meet one other process that starts at the same time. */
const TRIES = 50;
/** Without a lock, a folder this old belongs to a dead process. */
const ABANDONED_MILLISECONDS = 24 * 60 * 60 * 1_000;

/**
 * Creates a folder that no other session uses, and removes folders of dead processes. Processes of several containers
 * can share the parent: each owns its folders by locks, which end with the process.
 * @throws PipelineError INVALID_SETTINGS if the parent is not usable, STORAGE_FULL if it has no space left.
 */
export async function makeTempDirectory(parent: string): Promise<TempDirectory> {
  try {
    await makeFolder(parent);
    for (const name of await readdir(parent)) await removeIfDead(parent, name);
    for (let tried = 1; tried <= TRIES; tried++) {
      const owned = await makeOwned(parent);
      if (owned !== undefined) return owned;
    }
    throw new Error(`other processes removed ${TRIES.toString()} new folders`);
  } catch (error) {
    const isFull = ["ENOSPC", "EDQUOT", "SQLITE_FULL"].includes(systemCodeOf(error) ?? "");
    throw new PipelineError(
      isFull ? "STORAGE_FULL" : "INVALID_SETTINGS",
      `cannot use DUCKDB_TEMP_DIRECTORY: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** @returns undefined if another process has removed the folder before its lock was taken. */
async function makeOwned(parent: string): Promise<TempDirectory | undefined> {
  const made = await mkdtemp(path.join(parent, NEW));
  const folder = path.join(parent, path.basename(made).replace(NEW, OWNED));
  let lock: FileLock | "taken" | undefined;
  try {
    lock = await lockOf(made);
    if (lock === "taken") return undefined;
    await rename(made, folder);
  } catch (error) {
    if (lock !== "taken") lock?.release();
    if ((await ageOf(made)) === undefined) return undefined;
    throw error;
  }
  const remove = async () => {
    lock?.release();
    await removeFolder(folder);
  };
  if (lock === undefined || (await ageOf(path.join(folder, LOCK_FILE))) !== undefined)
    return { path: folder, remove };
  await remove();
  return undefined;
}

/**
 * @returns undefined on a file system without locks. There, nobody can recognise an abandoned folder, and it stays
 * for a day.
 */
async function lockOf(folder: string): Promise<FileLock | "taken" | undefined> {
  const file = path.join(folder, LOCK_FILE);
  try {
    return (await tryFileLock(file)) ?? "taken";
  } catch (error) {
    if (!/^SQLITE_(IOERR|PROTOCOL|NOLFS)/.test(systemCodeOf(error) ?? "")) throw error;
    await rm(file, { force: true });
    return undefined;
  }
}

async function removeIfDead(parent: string, name: string): Promise<void> {
  const folder = path.join(parent, name);
  // A folder that this user cannot remove, for example that of another user, does no harm.
  const remove = () => removeFolder(folder).catch(() => undefined);
  const isWithoutLock = isOfDeadProcess(name);
  if (!isWithoutLock && !name.startsWith(NEW) && !name.startsWith(OWNED)) return;
  const locked = path.join(folder, LOCK_FILE);
  const hasLock = (await ageOf(locked)) !== undefined;
  const age = hasLock ? undefined : await ageOf(folder);
  if (age !== undefined && age > ABANDONED_MILLISECONDS) return remove();
  if (isWithoutLock || (!hasLock && name.startsWith(OWNED))) return;
  // Another process can remove it meanwhile, and an unreadable folder does no harm.
  const lock = await tryFileLock(locked).catch(() => undefined);
  if (lock === undefined) return;
  await remove();
  lock.release();
}

/** Another process can check its lock at the same time. */
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

/**
 * For folders of versions without locks, whose names have the host and the process. A process of another container
 * can have the same name, so its folder must also be abandoned.
 */
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
