import { createHash } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll } from "@jest/globals";
import type { Settings } from "../src/settings.js";

/** The project's own folder. */
export const PROJECT = path.resolve(import.meta.dirname, "..");

const made: string[] = [];

afterAll(async () => {
  for (const folder of made.splice(0)) await rm(folder, { recursive: true, force: true });
});

/** A folder that goes when the tests of the file have run. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-test-"));
  made.push(folder);
  return folder;
}

/** Zones, database and temporary files in a folder of their own. */
export interface Workspace {
  readonly folder: string;
  readonly settings: Settings;
  /** The same as environment variables, for a child process. */
  readonly environment: Record<string, string>;
}

export async function makeWorkspace(overrides: Partial<Settings> = {}): Promise<Workspace> {
  const folder = await makeFolder();
  const zones = {
    raw: path.join(folder, "raw"),
    curated: path.join(folder, "curated"),
    provision: path.join(folder, "provision"),
  };
  const settings: Settings = {
    zones,
    consumptionUrl: `sqlite:${path.join(folder, "consumption.db")}`,
    sqlDirectory: path.join(PROJECT, "sql"),
    sqlVersion: "v1",
    maxRejectedShare: "0.5",
    host: "127.0.0.1",
    port: 0,
    duckdb: { memoryLimit: undefined, threads: 2, tempDirectory: path.join(folder, "temp") },
    ...overrides,
  };
  return {
    folder,
    settings,
    environment: {
      RAW_ZONE: settings.zones.raw,
      CURATED_ZONE: settings.zones.curated,
      PROVISION_ZONE: settings.zones.provision,
      CONSUMPTION_URL: settings.consumptionUrl,
      SQL_DIRECTORY: settings.sqlDirectory,
      MAX_REJECTED_SHARE: settings.maxRejectedShare,
      DUCKDB_TEMP_DIRECTORY: settings.duckdb.tempDirectory,
      DUCKDB_THREADS: String(settings.duckdb.threads ?? 2),
      HOST: settings.host,
      PORT: String(settings.port),
    },
  };
}

/** The SHA-256 of every file below a folder, by its path; folders end with `/`. Nothing where the folder is not there. */
export async function fingerprint(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const prints: Record<string, string> = {};
  for (const entry of entries) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file);
    if (entry.isDirectory()) prints[`${name}/`] = "folder";
    else
      prints[name] = createHash("sha256")
        .update(await readFile(file))
        .digest("hex");
  }
  return Object.fromEntries(Object.entries(prints).sort(([a], [b]) => (a < b ? -1 : 1)));
}
