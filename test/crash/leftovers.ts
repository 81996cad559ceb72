import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import path from "node:path";
import { isOnS3 } from "../../src/base/s3-access.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { PARTITION_FILE, stagedFile, STAGING } from "../../src/zones/zone.js";
import { EXECUTION_DATE } from "../run/running.js";
import { listFiles, uploadsTo } from "../storage.js";
import type { Seen } from "./seen.js";

/** What runs have left outside of what readers see, and should not have: staging, temporary folders, unfinished uploads. */
export async function leftovers({ duckdb, zones }: Settings, { files, runs }: Seen): Promise<string[]> {
  const left: string[] = [];
  for (const zone of ["curated", "provision"] as const) {
    const root = zones[zone];
    const staged = (await listFiles(root)).filter((file) => file.startsWith(`${STAGING}/`));
    left.push(...staged.map((file) => `${zone}/${file}`));
    if (isOnS3(root)) left.push(...(await unfinishedUploads(root, tablesOf(zone, files), runs)));
    else if (existsSync(path.join(root, STAGING))) left.push(`${zone}/${STAGING}/`);
  }
  const temporary = await readdir(duckdb.tempDirectory).catch(() => []);
  return [...left, ...temporary.map((name) => `temporary folder ${name}`)];
}

function tablesOf(zone: string, files: Seen["files"]): string[] {
  const tables = Object.keys(files).flatMap((file) => {
    const [of, table, , name] = file.split("/");
    return of === zone && table !== undefined && name === PARTITION_FILE ? [table] : [];
  });
  return [...new Set(tables)];
}

async function unfinishedUploads(
  root: string,
  tables: readonly string[],
  runs: Seen["runs"],
): Promise<string[]> {
  const { partitionKey } = parseExecutionDate(EXECUTION_DATE);
  const killed = Object.keys(runs).filter((run) => runs[run] === "killed");
  const names = killed.flatMap((run) => tables.map((table) => stagedFile(run, { table, partitionKey })));
  const uploads = await Promise.all(
    names.map(async (name) => (await uploadsTo(root, name)).map(() => `an upload to ${name}`)),
  );
  return uploads.flat();
}
