import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { afterAll } from "@jest/globals";
import type { Row, RowValue } from "../src/engine/builder.js";
import { getFile, putFile } from "./storage.js";

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

/** The SQL of a column whose text must come whole: the client drops a byte order mark at its beginning. */
export function wholeSql(column: string): string {
  return `'=' || "${column}" AS "${column}"`;
}

/** The text of a column that was asked for as whole. */
export function wholeText(value: RowValue | undefined): string | null {
  return typeof value === "string" ? value.slice(1) : null;
}

/**
 * Writes the rows of a SELECT to a Parquet file, and makes its folder.
 * @param options of the writer, as `COMPRESSION zstd`.
 */
export async function writeParquet(file: string, select: string, options?: string): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  const format = ["FORMAT parquet", options].filter((option) => option !== undefined).join(", ");
  await query(`COPY (${select}) TO '${file.replaceAll("'", "''")}' (${format})`);
}

/** Puts the rows of a SELECT as a Parquet file below a folder, on this machine or on S3. */
export function putParquet(folder: string, name: string, select: string): Promise<void> {
  return withTemporaryFile(async (file) => {
    await writeParquet(file, select);
    await putFile(folder, name, await readFile(file));
  });
}

/** The rows of one Parquet file below a folder, in their order. */
export function readParquet(folder: string, name: string): Promise<Row[]> {
  return withTemporaryFile(async (file) => {
    await writeFile(file, await getFile(folder, name));
    return query(`FROM read_parquet('${file}', hive_partitioning = false)`);
  });
}

async function withTemporaryFile<Result>(use: (file: string) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-test-"));
  try {
    return await use(path.join(folder, "data.parquet"));
  } finally {
    await rm(folder, { recursive: true });
  }
}
