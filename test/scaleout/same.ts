import { writeFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { putParquet, query } from "../duckdb.js";
import { getFile, hashesOf, listFiles, putFile } from "../storage.js";
import { makeFolder, makeWorkspace, type Workspace } from "../workspace.js";
import { clusterUrl, sparkSettings } from "./spark.js";

/** The types that Spark reads, if their moments are ordinary; of a file with any other type it reads nothing. */
export const SPARK_TYPES: ReadonlySet<string> = new Set([
  ...["VARCHAR", "DATE", "TIMESTAMP", "TIMESTAMP_MS", "TIMESTAMPTZ"],
  ...["DOUBLE", "TINYINT", "SMALLINT", "INTEGER", "BIGINT"],
]);

/** A workspace whose models are built by DuckDB alone, and one over the same raw zone whose models are built on the cluster. */
export interface Pair {
  readonly duckDb: Workspace;
  readonly spark: Workspace;
}

export async function makePair(overrides: Partial<Settings> = {}): Promise<Pair> {
  const duckDb = await makeWorkspace(overrides);
  return { duckDb, spark: onCluster(await makeWorkspace(overrides), duckDb) };
}

/**
 * The same workspace with its models built on a cluster.
 * @param over whose raw zone it reads; its own unless given.
 */
export function onCluster(workspace: Workspace, over = workspace, engine = clusterUrl()): Workspace {
  const { raw } = over.settings.zones;
  return {
    ...workspace,
    settings: {
      ...workspace.settings,
      zones: { ...workspace.settings.zones, raw },
      engine: sparkSettings(engine),
    },
    environment: { ...workspace.environment, RAW_ZONE: raw, ENGINE: engine },
  };
}

/** Expects the same rows of both tables of vouchers, however many files hold them, and the same bytes of every answer. */
export async function expectSame({ duckDb, spark }: Pair, executionDate: string): Promise<void> {
  for (const table of ["vouchers", "vouchers_rejected"]) {
    const [ours, theirs] = await Promise.all(
      [duckDb, spark].map(({ settings }) => relationOf(settings.zones.curated, table, executionDate)),
    );
    expect({
      table,
      only: "DuckDB",
      rows: await query(`${String(ours)} EXCEPT ALL ${String(theirs)} LIMIT 5`),
    }).toEqual({
      table,
      only: "DuckDB",
      rows: [],
    });
    expect({
      table,
      only: "Spark",
      rows: await query(`${String(theirs)} EXCEPT ALL ${String(ours)} LIMIT 5`),
    }).toEqual({
      table,
      only: "Spark",
      rows: [],
    });
  }
  const provision = await hashesOf(duckDb.settings.zones.provision);
  expect(Object.keys(provision)).not.toEqual([]);
  expect(await hashesOf(spark.settings.zones.provision)).toEqual(provision);
}

/** Puts a raw file with the rows of a SELECT, whose rows are damaged and whose footer is not. */
export async function putDamaged(raw: string, name: string, select: string): Promise<void> {
  await putParquet(raw, name, select);
  const bytes = await getFile(raw, name);
  bytes.fill(0xa5, 100, bytes.length - 4_000);
  await putFile(raw, name, bytes);
}

/** A SELECT of all rows of a partition, from copies of the files that it is. */
export async function relationOf(zone: string, table: string, executionDate: string): Promise<string> {
  const { partitionKey } = parseExecutionDate(executionDate);
  const partition = `${zone}/${table}/execution_date=${partitionKey}`;
  const folder = await makeFolder();
  const copies = (await namedFiles(partition)).map(async (name, index) => {
    const copy = path.join(folder, `${index.toString()}.parquet`);
    await writeFile(copy, await getFile(partition, name));
    return `'${copy}'`;
  });
  return `SELECT * FROM read_parquet([${(await Promise.all(copies)).join(", ")}], hive_partitioning = false)`;
}

/** The files that a partition is, below its folder: those of its manifest, or its one file. */
export async function namedFiles(partition: string): Promise<string[]> {
  const names = await listFiles(partition);
  if (!names.includes("_manifest.json")) return names;
  const manifest = JSON.parse((await getFile(partition, "_manifest.json")).toString()) as {
    files: { path: string }[];
  };
  const named = manifest.files.map((file) => file.path);
  expect(names.filter((name) => name !== "_manifest.json")).toEqual([...named].sort());
  return named;
}
