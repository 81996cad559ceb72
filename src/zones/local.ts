import { createReadStream, type Dirent, type Stats } from "node:fs";
import { copyFile, link, open, readdir, realpath, rename, rm, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { makeFolder } from "../make-folder.js";
import {
  KEPT,
  PARTITION_FILE,
  partitionFile,
  partitionFolder,
  stagedFile,
  STAGING,
  type Undo,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** Beside a staged file: the file whose place it took, and what else lay there. */
const REPLACED_FILE = "replaced.parquet";
const STRANGERS = "strangers";

/** Folders at and above the roots of zones that this process had to make. Zones can share those above them. */
const madeFolders = new Set<string>();

/** A zone that is a folder of this machine. */
export async function openLocalZone(directory: string): Promise<Zone> {
  // The engine refuses paths that lead through symbolic links.
  const root = await naming(directory, () => existingPath(directory));
  return {
    root,
    versionsTellContent: false,
    list: (folder) =>
      naming(directory, async () => {
        const files = await walk(root, folder, new Set());
        return files.sort((a, b) => (a.path < b.path ? -1 : 1));
      }),
    read: (file) => createReadStream(file.uri),
    find: (partition) =>
      naming(directory, async () => {
        const file = partitionFile(partition);
        return (await maybeStat(path.join(root, file))) === undefined ? undefined : zoneFile(root, file);
      }),
    stage: (runId, partition) =>
      naming(directory, async () => {
        const staged = stagedFile(runId, partition);
        const uri = path.join(root, staged);
        const made = await makeFolder(path.dirname(uri));
        if (made !== undefined) rememberMade(made, root);
        return { path: staged, uri };
      }),
    commit: (runId, partition) =>
      naming(directory, async () => {
        const staged = path.join(root, stagedFile(runId, partition));
        const folder = path.join(root, partitionFolder(partition));
        const undo = await replacePartition(partition.table, staged, folder);
        return () => naming(directory, undo);
      }),
    keepStaged: (runId) =>
      naming(directory, async () => {
        const staged = path.join(root, STAGING, runId);
        const files = await filesBelow(staged);
        if (files.length === 0) return [];
        const kept = path.join(root, KEPT, runId);
        await makeFolder(path.dirname(kept));
        await rename(staged, kept);
        return files.map((file) => path.join(kept, file));
      }),
    sweep: (folder, runs) =>
      naming(directory, async () => {
        const place = path.join(root, folder);
        for (const { name } of await maybeReaddir(place)) {
          if (name.startsWith(runs)) await rm(path.join(place, name), { recursive: true, force: true });
        }
        await removeIfEmpty(place);
        // A run that has failed leaves no folder behind that was not there.
        await removeMadeFolders(root);
      }),
  };
}

/** Renames a staged file into a partition's folder. What was there moves to where the staged file was. */
async function replacePartition(table: string, stagedFile: string, folder: string): Promise<Undo> {
  const target = path.join(folder, PARTITION_FILE);
  const replaced = path.join(path.dirname(stagedFile), REPLACED_FILE);
  const strangers = path.join(path.dirname(stagedFile), STRANGERS);
  failpoint(`${table}: commit begun`);
  const hadFile = await keepAside(target, replaced);
  failpoint(`${table}: old file kept`);
  const undo = async () => {
    failpoint(`${table}: undo begun`);
    if ((await maybeStat(path.dirname(stagedFile))) === undefined) return;
    await moveAll(strangers, folder);
    failpoint(`${table}: strangers back`);
    if (hadFile) await rename(replaced, target);
    else await rm(target, { force: true });
    failpoint(`${table}: old file back`);
    await removeIfEmpty(folder);
    await removeIfEmpty(path.dirname(folder));
  };
  try {
    await syncToDisk(stagedFile);
    await makeFolder(folder);
    failpoint(`${table}: folder made`);
    await moveAll(folder, strangers, [PARTITION_FILE]);
    failpoint(`${table}: strangers moved`);
    await rename(stagedFile, target);
    failpoint(`${table}: new file in place`);
    await syncToDisk(folder);
  } catch (error) {
    await undo();
    throw error;
  }
  return undo;
}

/** Moves what lies in one folder into another. */
async function moveAll(from: string, to: string, except: readonly string[] = []): Promise<void> {
  const names = (await maybeReaddir(from)).map(({ name }) => name).filter((name) => !except.includes(name));
  if (names.length > 0) await makeFolder(to);
  for (const name of names) await rename(path.join(from, name), path.join(to, name));
}

/** Gives a file a second name. True where there is such a file. */
async function keepAside(file: string, copy: string): Promise<boolean> {
  try {
    await link(file, copy);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    // Some file systems know no second names.
    await copyFile(file, copy);
    return true;
  }
}

/** The paths of all files below a folder, whatever their names. */
async function filesBelow(folder: string): Promise<string[]> {
  const entries =
    (await unlessMissing(() => readdir(folder, { recursive: true, withFileTypes: true }))) ?? [];
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ name, parentPath }) => path.relative(folder, path.join(parentPath, name))).sort();
}

/** Every file below a folder, following symbolic links, but no link into a folder that the walk is already in. */
async function walk(root: string, folder: string, above: ReadonlySet<string>): Promise<ZoneFile[]> {
  const real = await maybeRealpath(path.join(root, folder));
  if (real === undefined || above.has(real)) return [];
  const found: ZoneFile[] = [];
  for (const entry of await maybeReaddir(path.join(root, folder))) {
    if (/^[._]/.test(entry.name)) continue;
    const entryPath = `${folder}/${entry.name}`;
    const stats = await maybeStat(path.join(root, entryPath));
    if (stats?.isDirectory()) found.push(...(await walk(root, entryPath, new Set([...above, real]))));
    else found.push(zoneFileOf(root, entryPath, stats));
  }
  return found;
}

async function zoneFile(root: string, file: string): Promise<ZoneFile> {
  return zoneFileOf(root, file, await maybeStat(path.join(root, file)));
}

function zoneFileOf(root: string, file: string, stats: Stats | undefined): ZoneFile {
  const uri = path.join(root, file);
  if (stats === undefined) {
    return { path: file, uri, bytes: 0, version: "", problem: "it is a link that leads nowhere" };
  }
  const found = { path: file, uri, bytes: stats.size, version: stats.mtime.toISOString() };
  return stats.isFile() ? found : { ...found, problem: "it is no regular file" };
}

async function existingPath(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    // What is not there yet is made with its first file; its parents can still be links.
    return path.join(await existingPath(path.dirname(directory)), path.basename(directory));
  }
}

async function maybeStat(file: string): Promise<Stats | undefined> {
  return unlessMissing(() => stat(file));
}

async function maybeRealpath(file: string): Promise<string | undefined> {
  return unlessMissing(() => realpath(file));
}

async function maybeReaddir(directory: string): Promise<Dirent[]> {
  return (await unlessMissing(() => readdir(directory, { withFileTypes: true }))) ?? [];
}

/** Undefined where there is no such file or folder, also behind a link that leads nowhere or to itself. */
async function unlessMissing<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await look();
  } catch (error) {
    if (["ENOENT", "ELOOP"].includes(systemCodeOf(error) ?? "")) return undefined;
    throw error;
  }
}

/** Remembers the folders from a zone's root up to and with the uppermost one that was made. */
function rememberMade(uppermost: string, root: string): void {
  for (let folder = root; `${folder}/`.startsWith(`${uppermost}/`); folder = path.dirname(folder)) {
    madeFolders.add(folder);
  }
}

/** Removes a folder and those above it, as long as this process has made them and they are empty. */
async function removeMadeFolders(folder: string): Promise<void> {
  if (!madeFolders.has(folder)) return;
  await removeIfEmpty(folder);
  await removeMadeFolders(path.dirname(folder));
}

async function removeIfEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(systemCodeOf(error) ?? "")) throw error;
  }
}

async function syncToDisk(fileOrFolder: string): Promise<void> {
  const handle = await open(fileOrFolder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Says of an error of the file system which zone it is about. */
async function naming<Result>(directory: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw systemCodeOf(error) === undefined ? error : unusable(directory, error);
  }
}

/** What a retry does not mend. */
const UNUSABLE = ["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST"];

function unusable(directory: string, error: unknown): Error {
  if (error instanceof PipelineError) return error;
  const code = systemCodeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new PipelineError("STORAGE_FULL", `the zone ${directory} is full: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (UNUSABLE.includes(code ?? "")) {
    return new PipelineError(
      "ZONE_NOT_USABLE",
      `the zone ${directory} cannot be used: ${messageOf(error)}; check the setting and the rights on the folder`,
      { cause: error },
    );
  }
  return new PipelineError("STORAGE_FAILED", `the zone ${directory} failed: ${messageOf(error)}`, {
    cause: error,
  });
}
