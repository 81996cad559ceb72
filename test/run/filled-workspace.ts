import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { isOnS3 } from "../../src/base/s3-access.js";
import type { Settings } from "../../src/settings/settings.js";
import { readTable } from "../consumption/reading.js";
import { copyDatabase } from "../consumption/servers.js";
import { PLACE } from "../place.js";
import { copyBucket } from "../storage.js";
import { makeFolder, makeWorkspace, workspaceIn, type Workspace } from "../workspace.js";

type Filled<Result> = Workspace & { readonly result: Result };

/** A workspace that no test has. */
interface Original<Result> {
  readonly folder: string;
  readonly zones: Settings["zones"];
  readonly consumptionUrl: string;
  readonly result: Result;
}

/** Of this test file, by their names. */
const originals = new Map<string, Promise<Original<unknown>>>();

/**
 * A workspace that a test can change, filled by runs. The first test with this name fills one, and every test has a copy: a copy takes a
 * tenth of the time of a run. In folders all test files share it.
 * @param name tells everything that it is filled with.
 * @param fill may use the folder and the settings. Its result must be JSON.
 */
export async function filledWorkspace<Result>(
  name: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<Filled<Result>> {
  const makeOriginal = PLACE === "local+sqlite" ? sharedOriginal : ownOriginal;
  const original = originals.get(name) ?? makeOriginal(name, overrides, fill);
  originals.set(name, original);
  return copyOf((await original) as Original<Result>, overrides);
}

/** On a server it goes when the tests of the file have run. */
async function ownOriginal<Result>(
  _name: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<Original<Result>> {
  const workspace = await makeWorkspace(overrides);
  return originalIn(workspace, await fill(workspace));
}

async function sharedOriginal<Result>(
  name: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<Original<Result>> {
  const known = path.join(
    process.env["TEST_FILLED_WORKSPACES"] ?? (await makeFolder()),
    `${createHash("sha256").update(name).digest("hex")}.json`,
  );
  if (!existsSync(known)) await share(known, overrides, fill);
  return JSON.parse(await readFile(known, "utf8")) as Original<Result>;
}

/** Another process may do the same at the same time: the first one counts. */
async function share<Result>(
  known: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-test-"));
  const workspace = await workspaceIn(folder, overrides, PLACE);
  const original = originalIn(workspace, (await fill(workspace)) ?? null);
  // The file of the database is then all of it: the one beside it goes when a connection is collected.
  await readTable(workspace.settings, "PRAGMA wal_checkpoint(TRUNCATE)");
  const written = path.join(folder, "original.json");
  await writeFile(written, JSON.stringify(original));
  await link(written, known).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
}

function originalIn<Result>({ folder, settings }: Workspace, result: Result): Original<Result> {
  const { consumptionUrl, zones } = settings;
  return { folder, zones, consumptionUrl, result };
}

async function copyOf<Result>(
  original: Original<Result>,
  overrides: Partial<Settings>,
): Promise<Filled<Result>> {
  const workspace = await makeWorkspace(overrides);
  const { settings } = workspace;
  await copyFolders(original.folder, workspace.folder);
  const replaced = [[original.folder, workspace.folder].map((folder) => path.basename(folder))];
  if (isOnS3(original.zones.raw)) {
    const buckets = [original.zones.raw, settings.zones.raw].map((zone) => new URL(zone).host);
    await copyBucket(...(buckets as [string, string]));
    replaced.push(buckets);
  }
  if (!original.consumptionUrl.startsWith("sqlite:")) {
    const databases = [original, settings].map(({ consumptionUrl }) =>
      new URL(consumptionUrl).pathname.slice(1),
    );
    await copyDatabase(settings.consumptionUrl, ...(databases as [string, string]));
    replaced.push(databases);
  }
  let report = JSON.stringify(original.result ?? null);
  // Records of runs name places.
  for (const [from = "", to = ""] of replaced) {
    await readTable(settings, `UPDATE pipeline_runs SET record = replace(record, '${from}', '${to}')`);
    report = report.replaceAll(from, to);
  }
  return { ...workspace, result: JSON.parse(report) as Result };
}

/** Node's own copy cuts the times of files, by which the pipeline knows them. */
async function copyFolders(from: string, to: string): Promise<void> {
  const database = ["consumption.db", "consumption.db.locks"];
  const contents = ["raw", "curated", "provision", "runs", "temp", "sql", ...database]
    .map((name) => path.join(from, name))
    .filter((place) => existsSync(place));
  if (contents.length > 0) await promisify(execFile)("cp", ["-a", ...contents, to]);
}
