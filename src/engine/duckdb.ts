import { mkdir, mkdtemp, rm } from "node:fs/promises";
import path from "node:path";
import { DuckDBInstance, version, type DuckDBConnection } from "@duckdb/node-api";
import { PipelineError } from "../errors.js";
import type { DuckDbSettings } from "../settings.js";
import { listLiteral, literal } from "../sql-literal.js";
import { ConnectionPool } from "./connection-pool.js";
import { translateDuckDbError } from "./duckdb-errors.js";
import { textOf, type Engine, type Row } from "./engine.js";

/** Statements that run side by side at the most. More would share the memory limit among too many. */
const CONNECTIONS = 3;

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
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => instance.connect()));
  for (const connection of connections) {
    await connection.run("SET enable_progress_bar = true");
    await connection.run("SET enable_progress_bar_print = false");
  }
  const pool = new ConnectionPool(connections);
  const configuration = [
    "SET GLOBAL TimeZone = 'UTC'",
    // A filter that is pushed below a projection computes the parsed columns a second time.
    "SET GLOBAL disabled_optimizers = 'filter_pushdown'",
    `SET GLOBAL allowed_directories = ${listLiteral([...reach.directories, tempDirectory].map(withSlash))}`,
    `SET GLOBAL allowed_paths = ${listLiteral([...reach.files])}`,
    "SET GLOBAL enable_external_access = false",
    // From here on nothing can be set, not by the SQL of a model either.
    "SET GLOBAL lock_configuration = true",
    ...["raw", "curated", "measures", "provision"].map((schema) => `CREATE SCHEMA ${schema}`),
  ];
  for (const statement of configuration) await pool.lend((connection) => connection.run(statement));
  return engineOf(instance, pool, tempDirectory, signal);
}

function engineOf(
  instance: DuckDBInstance,
  pool: ConnectionPool,
  tempDirectory: string,
  signal: AbortSignal,
): Engine {
  const interruptible = async <Result>(connection: DuckDBConnection, statement: () => Promise<Result>) => {
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
  const connected = <Result>(statement: (connection: DuckDBConnection) => Promise<Result>) =>
    pool.lend((connection) => interruptible(connection, () => statement(connection)));
  const run = (sql: string) =>
    connected(async (connection) => {
      await connection.run(sql);
    });
  const rows = (sql: string) =>
    connected(async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJson() as Row[]);

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
        name: textOf(row, "column_name"),
        type: textOf(row, "column_type"),
      })),
    writeParquet: async (select, uri) => {
      // The options are written out, so that a new default of DuckDB changes no byte of a file. The select begins on the
      // first line, so that the line of an error is the line of the model's file.
      const [written] = await rows(
        `COPY (${select}\n) TO ${literal(uri)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 122880, RETURN_STATS)`,
      );
      return { rows: Number(written?.["count"]), bytes: Number(written?.["file_size_bytes"]) };
    },
    writeCsv: (select, uri) => run(`COPY (${select}\n) TO ${literal(uri)} (FORMAT csv, HEADER)`),
    progress: () => {
      const known = pool.busy
        .map(({ progress }) => progress.percentage)
        .filter((percentage) => percentage >= 0);
      return known.length === 0 ? undefined : Math.min(...known);
    },
    close: async () => {
      pool.close();
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
