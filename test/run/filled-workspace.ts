import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Settings } from "../../src/settings/settings.js";
import { readTable } from "../consumption/reading.js";
import { PLACE } from "../place.js";
import { makeFolder, makeWorkspace, workspaceIn, type Workspace } from "../workspace.js";

type Filled<Result> = Workspace & { readonly result: Result };

/** A workspace that no test has. */
interface Original<Result> {
  readonly folder: string;
  readonly result: Result;
}

/** Of this test file, by their names. */
const originals = new Map<string, Promise<Original<unknown>>>();

/**
 * A workspace that a test can change, filled by runs. In folders only the first test of all files with this name fills one, and every
 * test has a copy: a copy takes a tenth of the time of a run.
 * @param name tells everything that it is filled with.
 * @param fill may use the folder and the settings. Its result must be JSON.
 */
export async function filledWorkspace<Result>(
  name: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<Filled<Result>> {
  if (PLACE !== "local+sqlite") {
    const workspace = await makeWorkspace(overrides);
    return { ...workspace, result: await fill(workspace) };
  }
  const original = originals.get(name) ?? originalOf(name, overrides, fill);
  originals.set(name, original);
  return copyOf((await original) as Original<Result>, overrides);
}

async function originalOf<Result>(
  name: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<Original<Result>> {
  const known = path.join(
    process.env["TEST_FILLED_WORKSPACES"] ?? (await makeFolder()),
    `${createHash("sha256").update(name).digest("hex")}.json`,
  );
  if (!existsSync(known)) await make(known, overrides, fill);
  return JSON.parse(await readFile(known, "utf8")) as Original<Result>;
}

/** Another process may do the same at the same time: the first one counts. */
async function make<Result>(
  known: string,
  overrides: Partial<Settings>,
  fill: (workspace: Workspace) => Promise<Result>,
): Promise<void> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-test-"));
  const workspace = await workspaceIn(folder, overrides, PLACE);
  const original = { folder, result: (await fill(workspace)) ?? null };
  // The file of the database is then all of it: the one beside it goes when a connection is collected.
  await readTable(workspace.settings, "PRAGMA wal_checkpoint(TRUNCATE)");
  const written = path.join(folder, "original.json");
  await writeFile(written, JSON.stringify(original));
  await link(written, known).catch(async (error: unknown) => {
    await rm(folder, { recursive: true });
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  });
}

async function copyOf<Result>(
  original: Original<Result>,
  overrides: Partial<Settings>,
): Promise<Filled<Result>> {
  const workspace = await makeWorkspace(overrides);
  const database = ["consumption.db", "consumption.db.locks"];
  const contents = ["raw", "curated", "provision", "runs", "temp", "sql", ...database];
  // Node's own copy cuts the times of files, by which the pipeline knows them.
  await promisify(execFile)("cp", [
    "-a",
    ...contents.map((name) => path.join(original.folder, name)).filter((place) => existsSync(place)),
    workspace.folder,
  ]);
  // Records of runs name places.
  const from = path.basename(original.folder);
  const to = path.basename(workspace.folder);
  await readTable(
    workspace.settings,
    `UPDATE pipeline_runs SET record = replace(record, '${from}', '${to}')`,
  );
  const result = JSON.parse(JSON.stringify(original.result).replaceAll(from, to)) as Result;
  return { ...workspace, result };
}
