import { createReadStream, type BigIntStats, type Dirent } from "node:fs";
import {
  copyFile,
  link,
  lstat,
  open,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { makeFolder } from "../base/files.js";
import type { LinkCheck } from "./apart.js";
import { assertReplaceable, Machine } from "./machine-places.js";
import { isManifest, partitionFinder } from "./manifest.js";
import { replacePartition, type PartitionPlace } from "./replace-partition.js";
import {
  KEPT,
  partitionFolder,
  stagedFile,
  STAGING,
  stagingFolder,
  type Partition,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** Names of replaced files, next to the staged files. They do not count as staged. */
const REPLACED_FILE = "_replaced.parquet";
const REPLACED_MANIFEST = "_replaced.json";

/** Folders at and above the zone roots that this process created. Zones can share the folders above them. */
const madeFolders = new Set<string>();

/**
 * A zone that is a folder of this machine.
 * @param checkLink receives every link among the listed files, and throws if the link may not be there.
 */
export async function openLocalZone(directory: string, checkLink?: LinkCheck): Promise<Zone> {
  // The engine refuses paths that lead through symbolic links.
  const root = await naming(directory, () => existingPath(directory));
  const finder = partitionFinder((folder) => walk(root, folder), readText);
  return {
    root,
    versionsTellContent: false,
    list: (folder) =>
      naming(directory, async () => {
        const files = await walk(root, folder, isShown, checkLink);
        return files.sort((a, b) => (a.path < b.path ? -1 : 1));
      }),
    read: (file) => createReadStream(file.uri),
    find: (partition) => naming(directory, () => finder.find(partition)),
    findAll: (table, unreadable) => naming(directory, () => finder.findAll(table, unreadable)),
    assertReplaceable: (table, partitionKey) =>
      naming(directory, async () => {
        const machine = new Machine();
        const keys = partitionKey === undefined ? await keysOf(root, table) : [partitionKey];
        for (const key of keys) await assertReplaceable(machine, root, { table, partitionKey: key });
      }),
    stage: (runId, partition) =>
      naming(directory, async () => {
        const staged = stagedFile(runId, partition);
        const uri = path.join(root, staged);
        const made = await makeFolder(path.dirname(uri));
        if (made !== undefined) rememberMade(made, root);
        return { path: staged, uri };
      }),
    staged: (runId, partition) => naming(directory, () => stagedFiles(root, runId, partition)),
    commit: (runId, partition) =>
      naming(directory, async () => {
        const { undo, finish } = await replacePartition(
          () => openPlace(root, runId, partition),
          runId,
          partition,
        );
        return { undo: () => naming(directory, undo), finish: () => naming(directory, finish) };
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
    sweep: (folder, runs, { assertLocked } = {}) =>
      naming(directory, async () => {
        const place = path.join(root, folder);
        const left = (await maybeReaddir(place)).filter(({ name }) => name.startsWith(runs));
        if (left.length > 0) await assertLocked?.();
        for (const { name } of left) await rm(path.join(place, name), { recursive: true, force: true });
        await removeIfEmpty(place);
        // A failed run removes the folders that it created.
        await removeMadeFolders(root);
      }),
  };
}

/**
 * The keys of the existing partitions of a table, and one key without a partition. The latter stands for the table
 * itself.
 */
async function keysOf(root: string, table: string): Promise<string[]> {
  const entries = await maybeReaddir(path.join(root, table));
  const keys = entries.flatMap(({ name }) => /^execution_date=(.+)$/s.exec(name)?.[1] ?? []);
  return ["", ...keys];
}

function readText({ uri }: ZoneFile): Promise<string> {
  return readFile(uri, "utf8");
}

async function stagedFiles(root: string, runId: string, partition: Partition): Promise<ZoneFile[]> {
  const files = await walk(root, stagingFolder(runId, partition), isShown);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * A partition in a folder. Files are renamed into it. The files that they replace get a second name next to the
 * staged files.
 */
async function openPlace(
  root: string,
  runId: string,
  partition: Partition,
): Promise<PartitionPlace<ZoneFile>> {
  const staging = path.join(root, stagingFolder(runId, partition));
  const folder = path.join(root, partitionFolder(partition));
  const at = (file: string) => path.join(root, file);
  /** The direct entry of the partition's folder: the file, or the folder that contains it. */
  const entryOf = (file: string) => path.relative(folder, at(file)).split(path.sep, 1).join();
  return {
    staging,
    staged: await stagedFiles(root, runId, partition),
    isSwept: async () => (await maybeStat(staging)) === undefined,
    keep: async (file) => {
      const kept = path.join(staging, isManifest(file) ? REPLACED_MANIFEST : REPLACED_FILE);
      return (await keepAside(at(file), kept)) ? () => rename(kept, at(file)) : undefined;
    },
    put: async (paths) => {
      const folders = new Set([...paths.values()].map((file) => path.dirname(at(file))));
      for (const one of folders) await makeFolder(one);
      failpoint(`${partition.table}: folder made`);
      for (const [{ uri }, file] of paths) {
        await syncToDisk(uri);
        await rename(uri, at(file));
      }
      for (const one of folders) await syncToDisk(one);
    },
    write: async (file, text) => {
      const begun = path.join(staging, path.basename(file));
      await writeFile(begun, text);
      await syncToDisk(begun);
      await rename(begun, at(file));
      await syncToDisk(folder);
    },
    remove: async (files) => {
      for (const entry of new Set(files.map(entryOf)))
        await rm(path.join(folder, entry), { recursive: true, force: true });
      if (await removeIfEmpty(folder)) await removeIfEmpty(path.dirname(folder));
      else await unlessMissing(() => syncToDisk(folder));
    },
    besides: async (files) => {
      const entries = files.map(entryOf);
      const found = await maybeReaddir(folder);
      return found
        .filter(({ name }) => !entries.includes(name))
        .map(({ name }) => `${partitionFolder(partition)}/${name}`);
    },
  };
}

/** Gives a file a second name. True if there is such a file. */
async function keepAside(file: string, copy: string): Promise<boolean> {
  try {
    await link(file, copy);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return false;
    // Some file systems have no second names.
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

/** Hidden and internal names do not count. */
function isShown(name: string): boolean {
  return !/^[._]/.test(name);
}

/** The position of a walk: the folders that it is in, and the links that it came through. */
interface WalkedPath {
  readonly folders: ReadonlySet<string>;
  readonly links: readonly string[];
}

/**
 * Every file below a folder, following symbolic links, but no link into a folder that the walk is already in.
 * @param counts whether files and folders of a name are among them.
 */
async function walk(
  root: string,
  folder: string,
  counts: (name: string) => boolean = () => true,
  checkLink: LinkCheck = () => Promise.resolve(),
  above: WalkedPath = { folders: new Set(), links: [] },
): Promise<ZoneFile[]> {
  const real = await maybeRealpath(path.join(root, folder));
  if (real === undefined || above.folders.has(real)) return [];
  // The name of the folder itself can lead through links, too.
  if (above.folders.size === 0 && real !== path.join(root, folder)) await checkLink(folder, real);
  const found: ZoneFile[] = [];
  for (const entry of await maybeReaddir(path.join(root, folder))) {
    if (!counts(entry.name)) continue;
    const entryPath = `${folder}/${entry.name}`;
    const target = entry.isSymbolicLink() ? await maybeRealpath(path.join(root, entryPath)) : undefined;
    if (target !== undefined) await checkLink(entryPath, target);
    const links = entry.isSymbolicLink()
      ? [...above.links, await identityOfLink(path.join(root, entryPath))]
      : above.links;
    const stats = await maybeStat(path.join(root, entryPath));
    if (stats?.isDirectory()) {
      const below = await walk(root, entryPath, counts, checkLink, {
        folders: new Set([...above.folders, real]),
        links,
      });
      found.push(...below);
      if (below.length > 0 || !looksLikeFile(entry.name)) continue;
      if ((await maybeReaddir(path.join(root, entryPath))).length === 0)
        found.push(folderOf(root, entryPath, "it is an empty folder"));
    } else if (stats === undefined && entry.isDirectory() && isUndecodable(entry.name)) {
      found.push(folderOf(root, entryPath, NOT_UTF8));
    } else {
      found.push(zoneFileOf(root, entryPath, stats, links));
    }
  }
  return found;
}

const NOT_UTF8 = "its name is not UTF-8";

/** Node replaces the bytes of a name that are not UTF-8, and then finds nothing under that name. */
function isUndecodable(name: string): boolean {
  return name.includes("\ufffd");
}

/** `x.csv`: a container runtime creates such a folder if it does not find the file to mount. */
function looksLikeFile(name: string): boolean {
  return /.\.[a-z]/i.test(name);
}

function folderOf(root: string, folder: string, problem: string): ZoneFile {
  return {
    path: `${folder}/`,
    uri: path.join(root, folder, "/"),
    bytes: 0,
    version: "",
    identity: "",
    problem,
  };
}

function zoneFileOf(
  root: string,
  file: string,
  stats: BigIntStats | undefined,
  links: readonly string[],
): ZoneFile {
  const uri = path.join(root, file);
  if (stats === undefined) {
    const problem = isUndecodable(file) ? NOT_UTF8 : "it is a broken link";
    return { path: file, uri, bytes: 0, version: "", identity: links.join(), problem };
  }
  const found = {
    path: file,
    uri,
    bytes: Number(stats.size),
    version: dateOfNanoseconds(stats.mtimeNs).toISOString(),
    identity: [...links, identityOf(stats)].join(),
  };
  return stats.isFile() ? found : { ...found, problem: "it is not a regular file" };
}

/** No program can set the time of the last change of an inode: overwriting, renaming and replacing all move it. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

async function identityOfLink(link: string): Promise<string> {
  const stats = await unlessMissing(() => lstat(link, { bigint: true }));
  return stats === undefined ? "" : identityOf(stats);
}

/** Rounds to milliseconds as Node does for times that are not bigint, because run records hold such times. */
function dateOfNanoseconds(nanoseconds: bigint): Date {
  const second = 1_000_000_000n;
  return new Date(
    Math.round(Number(nanoseconds / second) * 1_000 + Number(nanoseconds % second) / 1_000_000),
  );
}

async function existingPath(directory: string): Promise<string> {
  try {
    return await realpath(directory);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    // The first file creates a missing folder. Its parents can still be links.
    return path.join(await existingPath(path.dirname(directory)), path.basename(directory));
  }
}

async function maybeStat(file: string): Promise<BigIntStats | undefined> {
  return unlessMissing(() => stat(file, { bigint: true }));
}

async function maybeRealpath(file: string): Promise<string | undefined> {
  return unlessMissing(() => realpath(file));
}

async function maybeReaddir(directory: string): Promise<Dirent[]> {
  return (await unlessMissing(() => readdir(directory, { withFileTypes: true }))) ?? [];
}

/** Undefined if there is no such file or folder, also behind a link that leads nowhere or to itself. */
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

/** @returns whether the folder is gone. */
async function removeIfEmpty(directory: string): Promise<boolean> {
  try {
    await rmdir(directory);
    return true;
  } catch (error) {
    const code = systemCodeOf(error) ?? "";
    // A mount is busy, and a link is not a folder: they were there before.
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "ENOTDIR"].includes(code)) throw error;
    return code === "ENOENT";
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

/** Adds the zone to an error of the file system. */
async function naming<Result>(directory: string, act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    throw systemCodeOf(error) === undefined ? error : unusable(directory, error);
  }
}

/** Errors that a retry does not fix. */
const UNUSABLE = [
  ...["EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "EEXIST", "ENOTEMPTY"],
  ...["ENAMETOOLONG", "ELOOP", "EXDEV"],
];

function unusable(directory: string, error: unknown): Error {
  if (error instanceof PipelineError) return error;
  const code = systemCodeOf(error);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return new PipelineError("STORAGE_FULL", `the zone ${directory} is full: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (UNUSABLE.includes(code ?? "")) {
    const remedy =
      code === "EXDEV"
        ? "source and target are on different file systems. Mount or link the whole zone instead of a folder in it"
        : "check the setting and the rights on the folder";
    return new PipelineError(
      "ZONE_NOT_USABLE",
      `cannot use the zone ${directory}: ${messageOf(error)}; ${remedy}`,
      { cause: error },
    );
  }
  return new PipelineError("STORAGE_FAILED", `the zone ${directory} failed: ${messageOf(error)}`, {
    cause: error,
  });
}
