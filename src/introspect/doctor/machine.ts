import { stat, statfs } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { messageOf, PipelineError, systemCodeOf } from "../../base/errors.js";
import { tryFolder } from "../../base/files.js";
import { nodeFault } from "../../base/machine-faults.js";
import { found, type Finding } from "./examination.js";

const GIBIBYTE = 1024 ** 3;
/** A disk with less is about to be full. */
const ROOM_BYTES = GIBIBYTE;
/** What the process needs beside DuckDB. */
const BESIDE_DUCKDB_BYTES = 256 * 1024 ** 2;

/** Older ones get no fixes from Node's own project: 20 since April 2026. */
const OLDEST_SUPPORTED_NODE = 22;

/** Whether this Node is one that the pipeline is made for. */
export function checkNode(version = process.versions.node): Finding<undefined> {
  const fault = nodeFault(version);
  if (fault !== undefined) throw fault;
  const isOld = Number(version.split(".")[0]) < OLDEST_SUPPORTED_NODE;
  return found(`Node ${version}${isOld ? ", which nobody supports any more: install Node 24" : ""}`);
}

/**
 * Whether the machine, or the container, has the memory that DuckDB may take.
 * @param limitBytes what DuckDB may take.
 */
export function checkMemory(limitBytes: number, memoryBytes = memoryOfMachine()): Finding<undefined> {
  const said = `DuckDB may use ${inGibibytes(limitBytes)} of ${inGibibytes(memoryBytes)}`;
  if (limitBytes + BESIDE_DUCKDB_BYTES <= memoryBytes) return found(said);
  throw new PipelineError(
    "MACHINE_NOT_USABLE",
    `${said}, and the process needs another ${inGibibytes(BESIDE_DUCKDB_BYTES)}; lower DUCKDB_MEMORY_LIMIT`,
  );
}

/** That of the container, where there is one with a limit. */
function memoryOfMachine(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, os.totalmem()) : os.totalmem();
}

/** Whether folders have room for what will be written below them; they need not be there yet. */
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

/** Whether the folder for what does not fit into memory can be written. */
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
 * Whether what runs tell others can be written. Services are not asked: nothing shall be told.
 * @param folders by the setting that names each.
 */
export async function checkReports(folders: Readonly<Record<string, string>>): Promise<Finding<undefined>> {
  const settings = Object.entries(folders);
  const faults: string[] = [];
  // One after the other: they can share folders that are made for the look.
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

/** Further off, S3 will soon refuse what is signed by this clock. */
const MOST_MILLISECONDS = 4 * 60_000;

/**
 * Whether the clock of this machine agrees with those of others.
 * @param aheadMilliseconds by how much each of them is ahead, by its name.
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
