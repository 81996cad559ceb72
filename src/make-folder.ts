import { mkdir, mkdtemp, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { messageOf, systemCodeOf } from "./errors.js";

/**
 * Makes a folder and those above it that are not there. Node's own recursive `mkdir` never ends in a folder such as
 * `/proc`, which says that it is there and that nothing can be.
 * @returns the uppermost folder that was made, or undefined where none had to be.
 */
export async function makeFolder(folder: string): Promise<string | undefined> {
  try {
    await mkdir(folder);
    return folder;
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") return ignoreExisting(folder, error);
  }
  const uppermost = await makeFolder(path.dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") {
      await ignoreExisting(folder, error);
      return uppermost;
    }
    throw Object.assign(new Error(messageOf(error), { cause: error }), { code: "EPERM" });
  }
  return uppermost ?? folder;
}

/**
 * Sees whether something can be made in a folder, which need not be there yet, and leaves all as it was.
 * @throws the system's error where it cannot.
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

/** Another process may make the same folder at the same time. What is there and is no folder stays an error. */
async function ignoreExisting(folder: string, error: unknown): Promise<undefined> {
  if (systemCodeOf(error) !== "EEXIST") throw error;
  if (!(await stat(folder)).isDirectory()) throw error;
}
