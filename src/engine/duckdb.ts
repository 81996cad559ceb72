import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance, version, type DuckDBConnection } from "@duckdb/node-api";
import { PipelineError } from "../errors.js";
import { identifier, listLiteral, literal } from "../sql-literal.js";
import type { DuckDbSettings } from "../settings.js";
import { translateDuckDbError } from "./duckdb-errors.js";
import type { Engine, Row } from "./engine.js";

/** What a session may touch outside of its memory. */
export interface Reach {
  /** Folders to read and write below. */
  readonly directories: readonly string[];
  /** Single files to read. */
  readonly files: readonly string[];
}

/**
 * Opens an in-memory DuckDB that can reach nothing but what it is given, does something with it, and closes it.
 * @param signal aborts the running statement.
 */
export async function withDuckDb<Result>(
  settings: DuckDbSettings,
  reach: Reach,
  signal: AbortSignal,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const engine = await openDuckDb(settings, reach, signal);
  try {
    return await use(engine);
  } finally {
    await engine.close();
  }
}

async function openDuckDb(settings: DuckDbSettings, reach: Reach, signal: AbortSignal): Promise<Engine> {
  const tempDirectory = await makeTempDirectory(settings.tempDirectory);
  const instance = await DuckDBInstance.create(":memory:", {
    ...(settings.memoryLimit === undefined ? {} : { memory_limit: settings.memoryLimit }),
    ...(settings.threads === undefined ? {} : { threads: String(settings.threads) }),
    temp_directory: tempDirectory,
    autoinstall_known_extensions: "false",
    autoload_known_extensions: "false",
    allow_community_extensions: "false",
    // It tells a local file that was replaced by its time alone, to the second.
    enable_external_file_cache: "false",
  });
  const connection = await instance.connect();
  const configuration = [
    "SET GLOBAL TimeZone = 'UTC'",
    "SET enable_progress_bar = true",
    "SET enable_progress_bar_print = false",
    // A filter that is pushed below a projection computes the parsed columns a second time.
    "SET disabled_optimizers = 'filter_pushdown'",
    `SET allowed_directories = ${listLiteral([...reach.directories, tempDirectory].map(withSlash))}`,
    `SET allowed_paths = ${listLiteral([...reach.files])}`,
    "SET enable_external_access = false",
    "SET lock_configuration = true",
  ];
  for (const statement of configuration) await connection.run(statement);
  for (const schema of ["raw", "curated", "measures", "provision"]) {
    await connection.run(`CREATE SCHEMA ${identifier(schema)}`);
  }
  return engineOf(instance, connection, tempDirectory, signal);
}

function engineOf(
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  tempDirectory: string,
  signal: AbortSignal,
): Engine {
  /** One statement at a time; the signal interrupts the one that runs. */
  const guarded = async <Result>(statement: () => Promise<Result>): Promise<Result> => {
    if (signal.aborted) throw cancelled();
    const interrupt = () => {
      connection.interrupt();
    };
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      return await statement();
    } catch (error) {
      throw isAborted(signal) ? cancelled() : translateDuckDbError(error);
    } finally {
      signal.removeEventListener("abort", interrupt);
    }
  };
  const run = (sql: string) => guarded(async () => void (await connection.run(sql)));
  const rows = (sql: string) =>
    guarded(async () => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Row[]);

  return {
    version: `DuckDB ${version()}`,
    run,
    rows,
    createView: (name, select) => run(`CREATE OR REPLACE VIEW ${name} AS (${select}\n)`),
    createTable: (name, select) => run(`CREATE OR REPLACE TABLE ${name} AS (${select}\n)`),
    attachFiles: (name, uris) =>
      run(
        `CREATE OR REPLACE VIEW ${name} AS SELECT * FROM read_parquet(${listLiteral([...uris])}, hive_partitioning = false)`,
      ),
    columnsOf: async (name) =>
      (await rows(`DESCRIBE ${name}`)).map((row) => ({
        name: String(row["column_name"]),
        type: String(row["column_type"]),
      })),
    writeParquet: async (select, uri) => {
      // The select begins on the first line, so that the line of an error is the line of the model's file.
      const [written] = await rows(
        `COPY (${select}\n) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, RETURN_STATS)`,
      );
      return { rows: Number(written?.["count"]), bytes: Number(written?.["file_size_bytes"]) };
    },
    progress: () => {
      const { percentage } = connection.progress;
      return percentage < 0 ? undefined : percentage;
    },
    close: async () => {
      connection.closeSync();
      instance.closeSync();
      await rm(tempDirectory, { recursive: true, force: true });
    },
  };
}

/** A folder of the session's own, so that what spills to disk never meets another session's. */
async function makeTempDirectory(parent: string): Promise<string> {
  try {
    await mkdir(parent, { recursive: true });
    return await mkdtemp(path.join(parent, "run-"));
  } catch (error) {
    throw new PipelineError("INVALID_SETTINGS", `DUCKDB_TEMP_DIRECTORY cannot be used: ${String(error)}`, {
      cause: error,
    });
  }
}

function withSlash(directory: string): string {
  return directory.endsWith("/") ? directory : `${directory}/`;
}

/** Asked anew: the signal may have been aborted while a statement ran. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

function cancelled(): PipelineError {
  return new PipelineError("CANCELLED", "cancelled; nothing was changed");
}
