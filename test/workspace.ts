import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { afterAll } from "@jest/globals";
import { readSettings, type Settings } from "../src/settings/settings.js";
import { dropDatabase, makeDatabase } from "./consumption/servers.js";
import { PLACE, TEST_S3, type Place } from "./place.js";
import { dropBucket, makeBucket } from "./storage.js";

/** The project's own folder. */
export const PROJECT = path.resolve(import.meta.dirname, "..");
/** The SQL with the models that the project ships, and no others. test/build.mjs makes it. */
export const SHIPPED_SQL = path.join(PROJECT, "dist-test/sql");

/** What undoes what the tests of this file have made. */
const undoing: (() => Promise<void>)[] = [];

afterAll(async () => {
  for (const undo of undoing.splice(0)) await undo();
});

/** A folder that goes when the tests of the file have run. */
export async function makeFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-test-"));
  undoing.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Zones, database and temporary files of their own. */
export interface Workspace {
  readonly folder: string;
  readonly settings: Settings;
  /** The same as environment variables, for a child process. */
  readonly environment: Record<string, string>;
}

export async function makeWorkspace(
  overrides: Partial<Settings> = {},
  place: Place = PLACE,
): Promise<Workspace> {
  return workspaceIn(await makeFolder(), overrides, place);
}

/** The same in a folder that the caller removes. */
export async function workspaceIn(
  folder: string,
  overrides: Partial<Settings>,
  place: Place,
): Promise<Workspace> {
  const environment = {
    SQL_DIRECTORY: SHIPPED_SQL,
    DUCKDB_TEMP_DIRECTORY: path.join(folder, "temp"),
    // Two files of tests keep two cores busy. Tests about what several threads do to the bytes say how many.
    DUCKDB_THREADS: "1",
    HOST: "127.0.0.1",
    PORT: "0",
    ...(place.startsWith("minio") ? await zonesOnS3() : zonesInFolders(folder)),
    CONSUMPTION_URL: await consumptionUrl(place, folder),
  };
  return { folder, settings: { ...readSettings(environment), ...overrides }, environment };
}

function zonesInFolders(folder: string): Record<string, string> {
  return {
    RAW_ZONE: path.join(folder, "raw"),
    CURATED_ZONE: path.join(folder, "curated"),
    PROVISION_ZONE: path.join(folder, "provision"),
    RUN_REPORTS: path.join(folder, "runs"),
  };
}

/** In a bucket that goes when the tests of the file have run. */
async function zonesOnS3(): Promise<Record<string, string>> {
  const bucket = uniqueName();
  await makeBucket(bucket);
  undoing.push(() => dropBucket(bucket));
  return {
    ...s3Environment(),
    RAW_ZONE: `s3://${bucket}/zone_01_raw`,
    CURATED_ZONE: `s3://${bucket}/zone_02_curated`,
    PROVISION_ZONE: `s3://${bucket}/zone_03_provision`,
    RUN_REPORTS: `s3://${bucket}/runs`,
  };
}

/** A file, or a database of a server that goes when the tests of the file have run. */
async function consumptionUrl(place: Place, folder: string): Promise<string> {
  if (place.endsWith("sqlite")) return `sqlite:${path.join(folder, "consumption.db")}`;
  const server = place.endsWith("mysql") ? "mysql" : "mariadb";
  const name = uniqueName();
  const url = await makeDatabase(server, name);
  undoing.push(() => dropDatabase(server, name));
  return url;
}

function uniqueName(): string {
  return `voucher-test-${randomBytes(6).toString("hex")}`;
}

/** What a process needs to know to reach the S3 of the tests. */
export function s3Environment(): Record<string, string> {
  if (TEST_S3 === undefined) throw new Error("TEST_S3_ENDPOINT names no S3");
  const { DUCKDB_EXTENSION_DIRECTORY: extensions } = process.env;
  return {
    AWS_ENDPOINT_URL_S3: TEST_S3.endpoint,
    AWS_ACCESS_KEY_ID: TEST_S3.accessKeyId,
    AWS_SECRET_ACCESS_KEY: TEST_S3.secretAccessKey,
    ...(extensions === undefined ? {} : { DUCKDB_EXTENSION_DIRECTORY: extensions }),
  };
}

/** The SHA-256 of every file below a folder of this machine, by its path; folders end with `/`. */
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
