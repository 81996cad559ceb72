// Raw files of the project's own sample, in the spelling that a feed may have.
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { measured } from "./measured-process.mjs";

const main = path.join(import.meta.dirname, "../dist/cli/main.js");
/** So many of a sample are in a CSV file, which is left out: its spellings are others. */
const CSV_ROWS = 2_000;

/** The spellings by name: each is a macro in spellings.sql. */
export const SPELLINGS = ["dates", "z", "feed", "mixed", "typed", "csv", "seconds"];

/**
 * Makes Parquet files with the project's own generator.
 * @returns their rows and their paths.
 */
export async function makeSample(folder, { rows, files, countries }) {
  const size = Object.entries({ rows: rows + CSV_ROWS, files, countries }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, `${value}`],
  );
  const { output } = await measured(process.execPath, [main, "sample", "--json", "--out", folder, ...size]);
  const parquet = JSON.parse(output).files.filter((file) => file.path.endsWith(".parquet"));
  return {
    rows: parquet.reduce((sum, file) => sum + file.rows, 0),
    files: parquet.map((file) => file.path),
  };
}

/**
 * Writes files of a sample in a spelling, each as one with DuckDB's usual options.
 * @returns their paths.
 */
export async function spelled(files, spelling, folder) {
  if (!SPELLINGS.includes(spelling))
    throw new Error(`there is no spelling ${spelling}; there are ${SPELLINGS.join(", ")}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  await connection.run(readFileSync(path.join(import.meta.dirname, "spellings.sql"), "utf8"));
  const [ending, format] =
    spelling === "csv" ? ["csv", "FORMAT csv, HEADER"] : ["parquet", "FORMAT parquet, COMPRESSION zstd"];
  const written = [];
  for (const [index, file] of files.entries()) {
    const target = path.join(folder, `${index}.${ending}`);
    await connection.run(`COPY (FROM spelled_${spelling}('${file}')) TO '${target}' (${format})`);
    written.push(target);
  }
  connection.closeSync();
  return written;
}

/** The rows of a Parquet file. */
export async function rowsOfParquet(file) {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  const counted = await connection.runAndReadAll(`SELECT count(*) FROM read_parquet('${file}')`);
  return Number(counted.getRowsJson()[0][0]);
}
