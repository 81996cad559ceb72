import { stat, statfs } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import { tryFolder } from "../../base/files.js";
import { nodeFault } from "../../base/machine-faults.js";
import { found, type Finding } from "./examination.js";

const GIBIBYTE = 1024 ** 3;
/** A disk with less free space is almost full. */
const ROOM_BYTES = GIBIBYTE;
/** The memory of the process without DuckDB. */
const BESIDE_DUCKDB_BYTES = 256 * 1024 ** 2;

/** Older ones get no fixes from Node's own project: 20 since April 2026. */
const OLDEST_SUPPORTED_NODE = 22;

/** Whether the pipeline supports this version of Node. */
export function checkNode(version = process.versions.node): Finding<undefined> {
  const fault = nodeFault(version);
  if (fault !== undefined) throw fault;
  const isOld = Number(version.split(".")[0]) < OLDEST_SUPPORTED_NODE;
  return found(`Node ${version}${isOld ? ", which nobody supports any more: install Node 24" : ""}`);
}

/**
 * Whether the machine, or the container, has the memory for DuckDB's limit.
 * @param limitBytes the memory limit of DuckDB.
 */
export function checkMemory(limitBytes: number, memoryBytes = memoryOfMachine()): Finding<undefined> {
  const said = `DuckDB may use ${inGibibytes(limitBytes)} of ${inGibibytes(memoryBytes)}`;
  if (limitBytes + BESIDE_DUCKDB_BYTES <= memoryBytes) return found(said);
  throw new PipelineError(
    "MACHINE_NOT_USABLE",
    `${said}, and the process needs another ${inGibibytes(BESIDE_DUCKDB_BYTES)}; lower DUCKDB_MEMORY_LIMIT`,
  );
}

/** The memory of the container, if it has a limit. */
function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/** Whether the disks of folders have space left. The folders may not exist yet. */
export async function checkDisks(folders: Readonly<Record<string, string>>): Promise<Finding<undefined>> {
  const disks = await Promise.all(
    Object.entries(folders).map(async ([name, folder]) => {
      const { bavail, bsize } = await statfs(await nearestFolder(folder));
      return { name, folder, free: bavail * bsize };
    }),
  );
  const full = disks.filter(({ free }) => free < ROOM_BYTES);
  if (full.length > 0) {
    const named = full.map(({ name, folder, free }) => `${folder} (${name}) has ${inGibibytes(free)}`);
    throw new PipelineError(
      "STORAGE_FULL",
      `${named.join(", ")} free, less than ${inGibibytes(ROOM_BYTES)}; free some space`,
    );
  }
  return found(`free: ${disks.map(({ name, free }) => `${name} ${inGibibytes(free)}`).join(", ")}`);
}

/** Whether the folder for temporary data is writable. */
export async function checkTempFolder(folder: string): Promise<Finding<undefined>> {
  try {
    await tryFolder(folder);
  } catch (error) {
    throw new PipelineError(
      "INVALID_SETTINGS",
      `cannot use DUCKDB_TEMP_DIRECTORY: ${messageOf(error)}; choose a writable folder`,
      { cause: error },
    );
  }
  return found(folder);
}

/**
 * Whether the reports of runs are writable. Services are not called, because they must not receive anything.
 * @param folders by the setting that names each.
 */
export async function checkReports(folders: Readonly<Record<string, string>>): Promise<Finding<undefined>> {
  const settings = Object.entries(folders);
  const faults: string[] = [];
  // One after the other: they can share folders that a check creates.
  for (const [setting, folder] of settings) {
    await tryFolder(folder).catch((error: unknown) => faults.push(`${setting}: ${messageOf(error)}`));
  }
  if (faults.length > 0) {
    const message = `not writable: ${faults.join(", ")}; choose writable places, or runs end with a warning`;
    throw new PipelineError("INVALID_SETTINGS", message);
  }
  if (settings.length === 0) return found("no local folder");
  return found(`${settings.map(([setting]) => setting).join(", ")} are writable`);
}

async function nearestFolder(folder: string): Promise<string> {
  try {
    await stat(folder);
    return folder;
  } catch (error) {
    if (systemCodeOf(error) !== "ENOENT") throw error;
    return nearestFolder(path.dirname(folder));
  }
}

function inGibibytes(bytes: number): string {
  return `${(bytes / GIBIBYTE).toFixed(1)} GiB`;
}

/** With a larger difference S3 will soon refuse requests signed by this clock. */
const MOST_MILLISECONDS = 4 * 60_000;

/**
 * Whether the clock of this machine agrees with other clocks.
 * @param aheadMilliseconds how far each of them is ahead, by its name.
 */
export function checkClock(aheadMilliseconds: Readonly<Record<string, number>>): Finding<undefined> {
  const clocks = Object.entries(aheadMilliseconds);
  const wrong = clocks.filter(([, ahead]) => Math.abs(ahead) >= MOST_MILLISECONDS);
  if (wrong.length > 0) {
    const said = wrong.map(
      ([name, ahead]) =>
        `${name} is ${Math.round(Math.abs(ahead) / 1_000).toString()} s ${ahead > 0 ? "ahead of" : "behind"} this machine`,
    );
    throw new PipelineError("MACHINE_NOT_USABLE", `${said.join(", ")}; correct the wrong clock`);
  }
  if (clocks.length === 0) return found("no clock of another machine to compare");
  return found(`agrees with ${clocks.map(([name]) => name).join(", ")}`);
}
