import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DuckDBConnection } from "@duckdb/node-api";
import { jest } from "@jest/globals";

/** What DuckDB had to do, in counts that are the same on every machine. */
export interface Effort {
  /** How many statements it was told. */
  readonly statements: number;
  /** Every scan of files or of a table: what was read and how many rows came out of it. */
  readonly scans: readonly Scan[];
}

export interface Scan {
  /** Every file that was read, with commas; or the name of the table. */
  readonly files: string;
  readonly rows: number;
}

/** A part of what DuckDB tells of a statement that it has run. */
interface Operator {
  readonly operator_name?: string;
  readonly operator_cardinality?: number;
  readonly extra_info?: { readonly "Filename(s)"?: string; readonly Table?: string };
  readonly children?: readonly Operator[];
}

/** Has DuckDB tell of everything that it does meanwhile. The work is done for real, by the project's own sessions. */
export async function effortOf(work: () => Promise<unknown>): Promise<Effort> {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-effort-"));
  const run = Reflect.get<DuckDBConnection, "run">(DuckDBConnection.prototype, "run");
  const profiles = new Map<DuckDBConnection, string>();
  const scans: Scan[] = [];
  let statements = 0;
  const spy = jest.spyOn(DuckDBConnection.prototype, "run").mockImplementation(async function (
    this: DuckDBConnection,
    sql,
    ...values
  ) {
    const known = profiles.get(this);
    const profile = known ?? path.join(folder, `${profiles.size.toString()}.json`);
    profiles.set(this, profile);
    if (known === undefined) {
      await run.call(this, "SET enable_profiling = 'json'");
      await run.call(this, `SET profiling_output = '${profile}'`);
    }
    statements++;
    // What it does is told in a file, which a session that is shut off must be able to write.
    const result = await run.call(
      this,
      sql.replace("allowed_directories = [", `allowed_directories = ['${folder}/', `),
      ...values,
    );
    scans.push(...(await scansIn(profile)));
    return result;
  });
  try {
    await work();
    return { statements, scans };
  } finally {
    spy.mockRestore();
    await rm(folder, { recursive: true });
  }
}

async function scansIn(profile: string): Promise<Scan[]> {
  const text = await readFile(profile, "utf8").catch(() => undefined);
  await rm(profile, { force: true });
  return text === undefined ? [] : scansOf(JSON.parse(text) as Operator);
}

function scansOf({ extra_info, operator_cardinality, operator_name, children = [] }: Operator): Scan[] {
  const isScan = /^READ_(PARQUET|CSV)|^(TABLE|SEQ)_SCAN/.test(operator_name ?? "");
  const files = extra_info?.["Filename(s)"] ?? extra_info?.Table ?? "";
  return [
    ...(isScan ? [{ files, rows: operator_cardinality ?? 0 }] : []),
    ...children.flatMap((child) => scansOf(child)),
  ];
}
