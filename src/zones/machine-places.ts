import { readFile, readlink, realpath, stat } from "node:fs/promises";
import path from "node:path";
import { PipelineError, systemCodeOf } from "../base/errors.js";
import { printable } from "../base/words.js";
import { partitionFolder, STAGING, type Partition } from "./zone.js";

/** A file or folder of this machine, known by its identity and not by its name. It may not exist yet. */
export interface Place {
  /** Its path without links, also through folders that do not exist yet. */
  readonly path: string;
  /** The existing folders on that path, from the innermost to the root. The place itself is included if it exists. */
  readonly found: readonly Folder[];
}

interface Folder {
  readonly path: string;
  /** Equal for two names of one folder: device and inode. */
  readonly identity: string;
}

/** A mounted file system, or a folder of one that is mounted by itself. */
interface Mount {
  readonly device: string;
  /** The mounted path within the file system. */
  readonly root: string;
  readonly point: string;
}

/** The places of this machine now. Each lookup runs once. */
export class Machine {
  readonly #identities = new Map<string, Promise<string>>();
  #mounts: Promise<readonly Mount[]> | undefined;

  /** Finds a file or folder. It follows links, also links to a place that does not exist yet. */
  async locate(file: string, linksLeft = 40): Promise<Place> {
    const names: string[] = [];
    for (let folder = path.resolve(file); ; folder = path.dirname(folder)) {
      const real = await unlessUnknown(() => realpath(folder));
      if (real !== undefined) return { path: path.join(real, ...names), found: await this.#foldersTo(real) };
      const target = linksLeft > 0 ? await unlessUnknown(() => readlink(folder)) : undefined;
      if (target !== undefined) {
        const parent = await realpath(path.dirname(folder));
        return this.locate(path.resolve(parent, target, ...names), linksLeft - 1);
      }
      if (folder === path.dirname(folder)) return { path: path.resolve(file), found: [] };
      names.unshift(path.basename(folder));
    }
  }

  /**
   * The names that lead from the outer place to the inner one: none if they are the same, undefined if the inner
   * place is not in the outer one. Other names of the same folder count: links, folders that are mounted twice, and
   * names that differ in case.
   */
  async below(outer: Place, inner: Place): Promise<readonly string[] | undefined> {
    const [folder] = outer.found;
    if (folder === undefined) return namesBelow(outer.path, inner.path);
    if (folder.path === outer.path) {
      const same = inner.found.find(({ identity }) => identity === folder.identity);
      return same === undefined ? this.#belowByMount(outer, inner) : namesBelow(same.path, inner.path);
    }
    // The outer place does not exist yet. If it contains the inner one, both begin at the same folder.
    const same = inner.found.find(({ identity }) => identity === folder.identity);
    if (same === undefined) return undefined;
    return namesBelow(path.relative(folder.path, outer.path), path.relative(same.path, inner.path));
  }

  /** The mount points below a place. */
  async mountsBelow(place: Place): Promise<string[]> {
    const mounts = await this.#readMounts();
    return mounts
      .map(({ point }) => point)
      .filter((point) => point !== place.path && isWithin(place.path, point));
  }

  /** Equal for two folders if a file can be renamed from one to the other; undefined if nothing is there. */
  async fileSystemOf({ found: [folder] }: Place): Promise<string | undefined> {
    if (folder === undefined) return undefined;
    const [device] = folder.identity.split(":");
    const mount = await this.#mountOf(folder.path);
    return `${device ?? ""} ${mount?.point ?? ""}`;
  }

  /** A folder that is mounted by itself has other parents than in its file system. */
  async #belowByMount(outer: Place, inner: Place): Promise<readonly string[] | undefined> {
    const [folder] = inner.found;
    if (folder === undefined) return undefined;
    const [outerMount, innerMount] = [await this.#mountOf(outer.path), await this.#mountOf(folder.path)];
    if (outerMount === undefined || innerMount?.device !== outerMount.device) return undefined;
    const names = namesBelow(
      withinFileSystem(outerMount, outer.path),
      withinFileSystem(innerMount, folder.path),
    );
    if (names === undefined) return undefined;
    // Network file systems can report the same root for different folders.
    const alias = await unlessUnknown(() => this.#identityOf(path.join(outer.path, ...names)));
    if (alias !== folder.identity) return undefined;
    return [...names, ...(namesBelow(folder.path, inner.path) ?? [])];
  }

  async #foldersTo(real: string): Promise<Folder[]> {
    const folders: Folder[] = [];
    for (let folder = real; ; folder = path.dirname(folder)) {
      const identity = await unlessUnknown(() => this.#identityOf(folder));
      if (identity !== undefined) folders.push({ path: folder, identity });
      if (folder === path.dirname(folder)) return folders;
    }
  }

  #identityOf(real: string): Promise<string> {
    const known = this.#identities.get(real) ?? identityOf(real);
    this.#identities.set(real, known);
    return known;
  }

  /** The mount of a path; undefined if this machine does not show mounts. */
  async #mountOf(real: string): Promise<Mount | undefined> {
    const holding = (await this.#readMounts()).filter(({ point }) => isWithin(point, real));
    // The last of several mounts on one point hides the others.
    return holding.reduce<Mount | undefined>(
      (best, mount) => (best === undefined || mount.point.length >= best.point.length ? mount : best),
      undefined,
    );
  }

  #readMounts(): Promise<readonly Mount[]> {
    return (this.#mounts ??= readMounts());
  }
}

/**
 * Checks that a run can replace a partition of a zone that is a folder. A rename works only between folders of one
 * mount, and it replaces the contents of the folder itself.
 * @throws PipelineError ZONE_NOT_USABLE if a folder is a link, contains a mount, or is on another file system than
 * the staging.
 */
export async function assertReplaceable(machine: Machine, root: string, partition: Partition): Promise<void> {
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
    throw unusableFolder(root, `${folder} is a link to ${target.path}. Replace the link with a folder`);
  }
  const [mounted] = await machine.mountsBelow(target);
  if (mounted !== undefined) {
    const what = `${mounted} is mounted in a partition folder, where a run removes unknown files`;
    throw unusableFolder(root, `${what}. Mount it elsewhere`);
  }
}

function onAnotherFileSystem(root: string, folder: string, { path: real }: Place): PipelineError {
  const leads = real === folder ? "" : ` (it leads to ${real})`;
  return unusableFolder(
    root,
    `${folder}${leads} is on another file system than ${folder.endsWith(`/${STAGING}`) ? "the zone" : `${root}/${STAGING}`}. ` +
      `A run renames files from ${STAGING} to the tables, which fails across file systems (EXDEV). ` +
      "Mount or link the whole zone instead of a folder in it",
  );
}

function unusableFolder(root: string, what: string): PipelineError {
  return new PipelineError("ZONE_NOT_USABLE", printable(`cannot use the zone ${root}: ${what}`));
}

async function identityOf(real: string): Promise<string> {
  const { dev, ino } = await stat(real, { bigint: true });
  return `${dev.toString()}:${ino.toString()}`;
}

/** Only Linux lists mounts in a file. Elsewhere, device and inode must be enough. */
async function readMounts(): Promise<readonly Mount[]> {
  const text = (await unlessUnknown(() => readFile("/proc/self/mountinfo", "utf8"))) ?? "";
  return text.split("\n").flatMap((line) => {
    const [, , device, root, point] = line.split(" ");
    if (device === undefined || root === undefined || point === undefined) return [];
    return [{ device, root: unescaped(root), point: unescaped(point) }];
  });
}

/** A blank is written as `\040` there. */
function unescaped(field: string): string {
  return field.replace(/\\([0-7]{3})/g, (_all, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function isWithin(folder: string, inner: string): boolean {
  return folder === inner || inner.startsWith(folder.endsWith(path.sep) ? folder : `${folder}${path.sep}`);
}

function withinFileSystem({ root, point }: Mount, real: string): string {
  return path.join(root, path.relative(point, real));
}

/** The names that lead from a folder to a path in it; undefined if it is not in it. Case does not count. */
function namesBelow(folder: string, inner: string): readonly string[] | undefined {
  const names = (text: string) => text.split(path.sep).filter((name) => name !== "");
  const outerNames = names(folder);
  const innerNames = names(inner);
  const isBelow = outerNames.every((name, index) => folded(name) === folded(innerNames[index] ?? ""));
  return isBelow ? innerNames.slice(outerNames.length) : undefined;
}

function folded(name: string): string {
  return name.normalize("NFC").toLowerCase();
}

/** Undefined if nothing is there, or if this user may not look. */
async function unlessUnknown<Result>(look: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await look();
  } catch (error) {
    if (systemCodeOf(error) !== undefined) return undefined;
    throw error;
  }
}
