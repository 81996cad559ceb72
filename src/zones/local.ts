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
import { printable } from "../base/words.js";
import type { LinkCheck } from "./apart.js";
import { Machine, type Place } from "./machine-places.js";
import {
  isOneFile,
  MANIFEST_FILE,
  manifestText,
  partitionFinder,
  placeOf,
  sweptStaging,
  undone,
} from "./manifest.js";
import {
  KEPT,
  PARTITION_FILE,
  partitionFolder,
  stagedFile,
  STAGING,
  stagingFolder,
  type Commit,
  type Partition,
  type Zone,
  type ZoneFile,
} from "./zone.js";

/** Beside staged files: those whose places are taken. Their names do not count among what is staged. */
const REPLACED_FILE = "_replaced.parquet";
const REPLACED_MANIFEST = "_replaced.json";

/** Folders at and above the roots of zones that this process had to make. Zones can share those above them. */
const madeFolders = new Set<string>();

/**
 * A zone that is a folder of this machine.
 * @param checkLink is told of every link among listed files, and throws if the link may not be there.
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
        const { undo, finish } = await replacePartition(root, runId, partition);
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

/** A rename goes from one folder to another of one mount, and replaces what is in the folder itself. */
async function assertReplaceable(machine: Machine, root: string, partition: Partition): Promise<void> {
  const folder = path.join(root, partitionFolder(partition));
  const [zone, staging, table, target] = await Promise.all([
    machine.locate(root),
    machine.locate(path.join(root, STAGING)),
    machine.locate(path.dirname(folder)),
    machine.locate(folder),
  ]);
  const from = await machine.fileSystemOf(staging);
  for (const [name, place] of [
    [path.dirname(folder), table],
    [folder, target],
  ] as const) {
    if ((await machine.fileSystemOf(place)) === from) continue;
    const isOfZone = from === (await machine.fileSystemOf(zone));
    throw onAnotherFileSystem(root, isOfZone ? name : path.join(root, STAGING), isOfZone ? place : staging);
  }
  if (target.path !== path.join(table.path, path.basename(folder))) {
    throw unusableFolder(root, `${folder} is a link to ${target.path}. Replace the link by a folder`);
  }
  const [mounted] = await machine.mountsBelow(target);
  if (mounted !== undefined) {
    const what = `${mounted} is mounted in the folder of a partition, in which a run removes what it does not know`;
    throw unusableFolder(root, `${what}. Mount it elsewhere`);
  }
}

/** The keys of the partitions of a table that are there, and one of none, which stands for the table itself. */
async function keysOf(root: string, table: string): Promise<string[]> {
  const entries = await maybeReaddir(path.join(root, table));
  const keys = entries.flatMap(({ name }) => /^execution_date=(.+)$/s.exec(name)?.[1] ?? []);
  return ["", ...keys];
}

function onAnotherFileSystem(root: string, folder: string, { path: real }: Place): PipelineError {
  const leads = real === folder ? "" : ` (it leads to ${real})`;
  return unusableFolder(
    root,
    `${folder}${leads} is on another file system than ${folder.endsWith(`/${STAGING}`) ? "the zone" : `${root}/${STAGING}`}. ` +
      `A run renames files from ${STAGING} to the tables, which no system does across mounts (EXDEV). ` +
      "Mount or link the zone as a whole, and not a folder in it",
  );
}

function unusableFolder(root: string, what: string): PipelineError {
  return new PipelineError("ZONE_NOT_USABLE", printable(`the zone ${root} cannot be used: ${what}`));
}

function readText({ uri }: ZoneFile): Promise<string> {
  return readFile(uri, "utf8");
}

async function stagedFiles(root: string, runId: string, partition: Partition): Promise<ZoneFile[]> {
  const files = await walk(root, stagingFolder(runId, partition), isShown);
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/**
 * Renames staged files into a partition's folder. What they take the place of keeps a second name where they were; what else was
 * there stays until the commit is finished.
 */
async function replacePartition(root: string, runId: string, partition: Partition): Promise<Commit> {
  const { table } = partition;
  const staging = path.join(root, stagingFolder(runId, partition));
  const folder = path.join(root, partitionFolder(partition));
  const file = path.join(folder, PARTITION_FILE);
  const manifest = path.join(folder, MANIFEST_FILE);
  const replacedFile = path.join(staging, REPLACED_FILE);
  const replacedManifest = path.join(staging, REPLACED_MANIFEST);
  failpoint(`${table}: commit begun`);
  const staged = await stagedFiles(root, runId, partition);
  if (staged.length === 0) throw sweptStaging(staging);
  const isOne = isOneFile(runId, partition, staged);
  const hadFile = isOne && (await keepAside(file, replacedFile));
  const hadManifest = await keepAside(manifest, replacedManifest);
  failpoint(`${table}: old file kept`);
  const undo = async () => {
    failpoint(`${table}: undo begun`);
    if ((await maybeStat(staging)) === undefined) return;
    // What it names is still there.
    if (hadManifest) await rename(replacedManifest, manifest);
    else await rm(manifest, { force: true });
    failpoint(`${table}: old manifest back`);
    if (hadFile) await rename(replacedFile, file);
    else await rm(isOne ? file : path.join(folder, runId), { recursive: true, force: true });
    failpoint(`${table}: old file back`);
    await removeIfEmpty(folder);
    await removeIfEmpty(path.dirname(folder));
  };
  try {
    if (isOne) await placeFile();
    else await placeFiles();
    await syncToDisk(folder);
  } catch (error) {
    throw await undone(undo, error);
  }

  async function placeFile() {
    const from = path.join(staging, PARTITION_FILE);
    await syncToDisk(from);
    await makeFolder(folder);
    failpoint(`${table}: folder made`);
    await rename(from, file);
    failpoint(`${table}: new file in place`);
    await rm(manifest, { force: true });
    failpoint(`${table}: old manifest removed`);
  }

  async function placeFiles() {
    const begun = path.join(staging, MANIFEST_FILE);
    await writeFile(begun, manifestText(runId, partition, staged));
    await syncToDisk(begun);
    await makeFolder(path.join(folder, runId));
    failpoint(`${table}: folder made`);
    for (const one of staged) {
      const to = path.join(folder, placeOf(runId, partition, one));
      await syncToDisk(one.uri);
      await makeFolder(path.dirname(to));
      await rename(one.uri, to);
      await syncToDisk(path.dirname(to));
    }
    failpoint(`${table}: new files in place`);
    await rename(begun, manifest);
    failpoint(`${table}: new manifest in place`);
  }

  return {
    undo,
    finish: async () => {
      failpoint(`${table}: finish begun`);
      if ((await maybeStat(staging)) === undefined) return;
      const stays = isOne ? [PARTITION_FILE] : [MANIFEST_FILE, runId];
      const rest = (await maybeReaddir(folder)).filter(({ name }) => !stays.includes(name));
      for (const { name } of rest) await rm(path.join(folder, name), { recursive: true, force: true });
      failpoint(`${table}: rest removed`);
    },
  };
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

/** `x.csv`: a container runtime makes such a folder if it cannot find the file that it is told to mount. */
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
    const problem = isUndecodable(file) ? NOT_UTF8 : "it is a link that leads nowhere";
    return { path: file, uri, bytes: 0, version: "", identity: links.join(), problem };
  }
  const found = {
    path: file,
    uri,
    bytes: Number(stats.size),
    version: dateOfNanoseconds(stats.mtimeNs).toISOString(),
    identity: [...links, identityOf(stats)].join(),
  };
  return stats.isFile() ? found : { ...found, problem: "it is no regular file" };
}

/** No program can set the time of the last change of an inode: overwriting, renaming and replacing all move it. */
function identityOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(":");
}

async function identityOfLink(link: string): Promise<string> {
  const stats = await unlessMissing(() => lstat(link, { bigint: true }));
  return stats === undefined ? "" : identityOf(stats);
}

/** Rounded to milliseconds as Node does it for times that are no bigint: records of runs hold such times. */
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
    // What is not there yet is made with its first file; its parents can still be links.
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
    // A mount is busy, and a link is no folder: they were there before.
    if (!["ENOENT", "ENOTEMPTY", "EEXIST", "EBUSY", "ENOTDIR"].includes(systemCodeOf(error) ?? ""))
      throw error;
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

/** What a retry does not fix. */
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
        ? "the two are on different file systems: mount or link the zone as a whole, and not a folder in it"
        : "check the setting and the rights on the folder";
    return new PipelineError(
      "ZONE_NOT_USABLE",
      `the zone ${directory} cannot be used: ${messageOf(error)}; ${remedy}`,
      { cause: error },
    );
  }
  return new PipelineError("STORAGE_FAILED", `the zone ${directory} failed: ${messageOf(error)}`, {
    cause: error,
  });
}
