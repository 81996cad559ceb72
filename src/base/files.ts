import { randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, rmdir, stat, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { messageOf, systemCodeOf } from "./errors.js";

/** The maximum number of retries if the parent folder disappears meanwhile. */
const TRIES = 20;

/**
 * Creates a folder and its missing parents. Node's own recursive `mkdir` never ends in a folder such as `/proc`,
 * which reports that it exists and that nothing can be created in it.
 * @returns the uppermost created folder; undefined if none was created.
 */
export async function makeFolder(folder: string, triesLeft = TRIES): Promise<string | undefined> {
  const again = async (error: unknown) => {
    if (triesLeft > 0) return makeFolder(folder, triesLeft - 1);
    throw Object.assign(new Error(messageOf(error), { cause: error }), { code: "EPERM" });
  };
  try {
    await mkdir(folder);
    return folder;
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") return (await isThere(folder, error)) ? undefined : again(error);
  }
  const uppermost = await makeFolder(path.dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another process removes empty folders: the parent, or this folder just after a third process has created it.
    const isGone = systemCodeOf(error) === "ENOENT" || !(await isThere(folder, error));
    return isGone ? ((await again(error)) ?? uppermost) : uppermost;
  }
  return uppermost ?? folder;
}

/**
 * Tests whether files can be created in a folder, which may not exist yet, and leaves everything as it was.
 * @throws the error of the system if they cannot.
 */
export async function tryFolder(folder: string): Promise<void> {
  const uppermost = await makeFolder(folder);
  try {
    await rmdir(await mkdtemp(path.join(folder, ".try-")));
  } finally {
    if (uppermost !== undefined) await removeFolders(folder, uppermost);
  }
}

async function removeFolders(folder: string, uppermost: string): Promise<void> {
  await rmdir(folder);
  if (path.resolve(folder) !== path.resolve(uppermost)) await removeFolders(path.dirname(folder), uppermost);
}

/**
 * Whether a folder that could not be created exists, because another process has created it; false if it is gone
 * again.
 * @throws the error if another file has its name.
 */
async function isThere(folder: string, error: unknown): Promise<boolean> {
  if (systemCodeOf(error) !== "EEXIST") throw error;
  const found = await stat(folder).catch((statError: unknown) => {
    if (systemCodeOf(statError) === "ENOENT") return undefined;
    throw statError;
  });
  if (found?.isDirectory() === false) throw error;
  return found !== undefined;
}

/** Writes a file, and creates its parent folders. A reader sees the old file or the new one, never a part. */
export async function writeWhole(file: string, content: string): Promise<void> {
  const folder = path.dirname(file);
  await makeFolder(folder);
  // A name that no reader of the folder takes for a finished file.
  const begun = path.join(folder, `.${path.basename(file)}.${randomBytes(6).toString("hex")}`);
  try {
    await writeFile(begun, content);
    await rename(begun, file);
  } catch (error) {
    await rm(begun, { force: true });
    throw error;
  }
}

/** The folder of the project: the nearest one above this module, bundled or not, that has a package.json. */
export function projectFolder(): string {
  let directory = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(directory, "package.json"))) directory = path.dirname(directory);
  return directory;
}

/** The version of the package. */
export function versionText(): string {
  const text = readFileSync(path.join(projectFolder(), "package.json"), "utf8");
  const { version } = JSON.parse(text) as { version: string };
  return version;
}
