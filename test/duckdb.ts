import { mkdir } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { afterAll } from "@jest/globals";
import type { Row } from "../src/engine/engine.js";

let shared: { instance: DuckDBInstance; connection: DuckDBConnection } | undefined;

afterAll(() => {
  shared?.connection.closeSync();
  shared?.instance.closeSync();
  shared = undefined;
});

/** A DuckDB of the test's own, to make files and to read what the pipeline has written. */
export async function query(sql: string): Promise<Row[]> {
  if (shared === undefined) {
    const instance = await DuckDBInstance.create(":memory:", { enable_external_file_cache: "false" });
    shared = { instance, connection: await instance.connect() };
    await shared.connection.run("SET GLOBAL TimeZone = 'UTC'");
  }
  const reader = await shared.connection.runAndReadAll(sql);
  return reader.getRowObjectsJson();
}

/** Writes the rows of a SELECT to a Parquet file, and makes its folder. */
export async function writeParquet(file: string, select: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await query(`COPY (${select}) TO '${file.replaceAll("'", "''")}' (FORMAT parquet)`);
}

/** The rows of one Parquet file, in their order. */
export function readParquet(file: string): Promise<Row[]> {
  return query(`FROM read_parquet('${file.replaceAll("'", "''")}', hive_partitioning = false)`);
}
