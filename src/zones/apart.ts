import { readdir } from "node:fs/promises";
import path from "node:path";
import { PipelineError, systemCodeOf } from "../base/errors.js";
import { isOnS3 } from "../base/s3-access.js";
import { printable } from "../base/words.js";
import { TEMPORARY_FOLDERS, type Settings } from "../settings/settings.js";
import { Machine, type Place } from "./machine-places.js";

/** A file or folder that a setting names, or that is reached through one. */
interface Named {
  readonly setting: string;
  /** The text for messages: `/lake/raw`, or `/lake/raw (it leads to /disk/raw)`. */
  readonly written: string;
  /** Undefined on S3. */
  readonly place: Place | undefined;
  /** Whether it is a file. Nothing can lie in a file. */
  readonly isFile: boolean;
  readonly location: string;
}

/** Checks a link below the raw zone. */
export type LinkCheck = (link: string, target: string) => Promise<void>;

const FILES = ["CONSUMPTION_URL", "METRICS_FILE", "OPENLINEAGE_FILE"];
/** Folders in which runs of all processes remove unknown files. */
const SWEPT = ["CURATED_ZONE", "PROVISION_ZONE"];
/** A session has its own folder in DUCKDB_TEMP_DIRECTORY. The directory can hold other files: `/tmp` is a good setting. */
const TEMPORARY = "DUCKDB_TEMP_DIRECTORY";
/** The folder of the run locks, next to a SQLite database. */
const LOCKS = ".locks";

/**
 * Checks that no place of the settings lies in another one. Otherwise a run would read or remove its own output. The
 * check compares the folders themselves, not their names.
 * @returns a check for the links below the raw zone.
 * @throws PipelineError INVALID_SETTINGS that names every such pair of settings and their places.
 */
export async function assertApart(settings: Settings): Promise<LinkCheck> {
  const machine = new Machine();
  const named = (setting: string, location: string | undefined) =>
    location === undefined ? [] : [nameOf(machine, setting, location)];
  const [places, readOnly] = await Promise.all([
    Promise.all(
      Object.entries(placesOf(settings)).flatMap(([setting, location]) => named(setting, location)),
    ),
    Promise.all(
      Object.entries(filesToRead(settings)).flatMap(([setting, location]) => named(setting, location)),
    ),
  ]);
  const all = [...places, ...(await reachedThrough(machine, places))];
  const swept = all.filter(({ setting }) => SWEPT.includes(setting));
  const faults = new Map<string, string>();
  const compare = async (outer: Named, inner: Named) => {
    const settingsAtFault = [outer.setting, inner.setting].sort().join();
    if (outer.setting === inner.setting || faults.has(settingsAtFault)) return;
    const fault = await faultOf(machine, outer, inner);
    if (fault !== undefined) faults.set(settingsAtFault, fault);
  };
  for (const outer of all) for (const inner of all) await compare(outer, inner);
  for (const outer of swept) for (const inner of readOnly) await compare(outer, inner);
  if (faults.size > 0) {
    const list = [...faults.values()].map((fault) => `\n  ${fault}`).join("");
    const message = `places must not overlap, because runs read, write and remove files there:${list}`;
    throw new PipelineError("INVALID_SETTINGS", `${message}\nGive each setting its own place`);
  }
  return async (link, target) => {
    const inner = {
      setting: "RAW_ZONE",
      written: "",
      location: target,
      place: await machine.locate(target),
      isFile: false,
    };
    for (const other of all.filter(({ setting }) => setting !== "RAW_ZONE")) {
      const isIn = await liesIn(machine, other, inner);
      if (!isIn && !(await liesIn(machine, inner, other))) continue;
      const raw = printable(settings.zones.raw);
      throw new PipelineError(
        "INVALID_SETTINGS",
        `${printable(link)} in RAW_ZONE ${raw} is a link to ${printable(target)}, ` +
          `${isIn ? "which lies in" : "which holds"} ${other.setting} ${other.written}: ` +
          "a run would read what the pipeline writes. Remove the link",
      );
    }
  };
}

/** The places that runs read, write and remove, by setting. */
function placesOf(settings: Settings): Record<string, string | undefined> {
  const { zones, runReports, consumptionUrl, duckdb, metricsFile, openLineage, sqlDirectory } = settings;
  const [, database] = /^sqlite:(.*)$/s.exec(consumptionUrl) ?? [];
  return {
    RAW_ZONE: zones.raw,
    CURATED_ZONE: zones.curated,
    PROVISION_ZONE: zones.provision,
    RUN_REPORTS: runReports,
    CONSUMPTION_URL: database === undefined ? undefined : path.resolve(database),
    [TEMPORARY]: duckdb.tempDirectory,
    METRICS_FILE: metricsFile,
    OPENLINEAGE_FILE: openLineage.file,
    SQL_DIRECTORY: sqlDirectory,
  };
}

/** Files that runs only read. They may lie anywhere outside the folders in which runs remove files. */
function filesToRead({ api, duckdb, engine, s3, secretFiles }: Settings): Record<string, string | undefined> {
  return {
    ...secretFiles,
    API_KEYS_FILE: api.keysFile,
    AWS_CA_BUNDLE: s3.caBundle,
    ENGINE_CA_BUNDLE: engine.kind === "spark" ? engine.caBundle : undefined,
    DUCKDB_EXTENSION_DIRECTORY: duckdb.extensionDirectory,
  };
}

async function nameOf(machine: Machine, setting: string, location: string): Promise<Named> {
  const place = isOnS3(location) ? undefined : await machine.locate(location);
  const leads =
    place === undefined || place.path === location ? "" : ` (it leads to ${printable(place.path)})`;
  const isFile = FILES.includes(setting) && !location.endsWith(LOCKS);
  return { setting, written: `${printable(location)}${leads}`, place, location, isFile };
}

/** The places of a setting outside its own folder: through mounts, links of tables, and files next to a database. */
async function reachedThrough(machine: Machine, places: readonly Named[]): Promise<Named[]> {
  const found = await Promise.all(
    places.map(async ({ setting, place }) => {
      if (place === undefined) return [];
      const others = setting === TEMPORARY ? [] : await machine.mountsBelow(place);
      if (SWEPT.includes(setting)) others.push(...(await linksIn(place.path)));
      // SQLite creates the first three.
      if (setting === "CONSUMPTION_URL") {
        others.push(...["-wal", "-shm", "-journal", LOCKS].map((end) => `${place.path}${end}`));
      }
      return Promise.all(others.map((location) => nameOf(machine, setting, location)));
    }),
  );
  return found.flat();
}

async function linksIn(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.filter((entry) => entry.isSymbolicLink()).map(({ name }) => path.join(folder, name));
  } catch (error) {
    // Nothing is there, or opening the zone reports the fault.
    if (systemCodeOf(error) !== undefined) return [];
    throw error;
  }
}

async function faultOf(machine: Machine, outer: Named, inner: Named): Promise<string | undefined> {
  if (!(await liesIn(machine, outer, inner))) return undefined;
  const isSame = await liesIn(machine, inner, outer);
  const how = isSame ? "is the same place as" : "lies in";
  return `${inner.setting} ${inner.written} ${how} ${outer.setting} ${outer.written}`;
}

async function liesIn(machine: Machine, outer: Named, inner: Named): Promise<boolean> {
  if (outer.place === undefined || inner.place === undefined) {
    // The locations are in one bucket, because all locations on S3 have the same endpoint.
    const isOnSame = outer.place === undefined && inner.place === undefined;
    return isOnSame && `${inner.location}/`.startsWith(`${outer.location}/`);
  }
  const names = await machine.below(outer.place, inner.place);
  if (names === undefined) return false;
  const [first] = names;
  if (outer.isFile) return first === undefined;
  const isOfSession = Object.values(TEMPORARY_FOLDERS).some((prefix) => first?.startsWith(prefix));
  return outer.setting !== TEMPORARY || first === undefined || isOfSession;
}
