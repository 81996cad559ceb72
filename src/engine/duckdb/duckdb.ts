import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { DuckDBInstance, JsonDuckDBValueConverter, version, type DuckDBConnection } from "@duckdb/node-api";
import { untilAborted, hasNativeCalls, nativeCall } from "../../base/concurrency.js";
import { cancelled, messageOf, PipelineError } from "../../base/errors.js";
import { machineFault } from "../../base/machine-faults.js";
import { usesTls, type S3Access } from "../../base/s3-access.js";
import type { DuckDbSettings } from "../../settings/settings.js";
import { listLiteral, literal, pathPattern } from "../../sql-text/literal.js";
import { statementsOf } from "../../sql-text/scan.js";
import { textOf, type Row } from "../builder.js";
import { refusalOfFunctions, refusalOfSelect, type Powers } from "../refusals.js";
import { runStatements } from "./ad-hoc.js";
import { bySpeaking, type Engine } from "./duckdb-engine.js";
import { temporaryFileFault, translateDuckDbError, DuckDbError } from "./duckdb-errors.js";
import { extensionOptions, openS3, type S3Session } from "./httpfs.js";
import { makeTempDirectory, type TempDirectory } from "./temp-directory.js";

/** How files are written, beside what the engine does by itself. Its name changes if the same rows become other bytes. */
const FILE_FORMAT = "files with an Arrow schema";

/** Statements that run side by side at the most. More would share the memory limit among too many. */
const CONNECTIONS = 2;

/** How long a statement has to stop once it is interrupted. */
const INTERRUPT_MILLISECONDS = 2_000;

/** What has DuckDB ask nobody for what it has read: neither for the content of a file, nor for its footer, size and ETag. */
const KEEPING = [
  "SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'",
  "SET GLOBAL parquet_metadata_cache = true",
  "SET GLOBAL enable_http_metadata_cache = true",
];

/** What a session may touch outside of its memory. */
export interface Reach {
  /** Folders to read and write below. */
  readonly directories: readonly string[];
  /** Single files to read. */
  readonly files: readonly string[];
}

/** What a session is opened with. */
interface SessionOptions {
  readonly settings: DuckDbSettings;
  readonly reach: Reach;
  /** How to get at what is on S3; undefined if nothing is. */
  readonly s3?: S3Access | undefined;
  /** Aborts the running statements. */
  readonly signal: AbortSignal;
  /**
   * Whether filters come before what is computed, so that files in which nothing can match are not opened. Models do
   * without: they would compute the parsed columns a second time.
   */
  readonly pushesFilters?: boolean;
  /**
   * Whether the files stay as they are for the length of the session, or whoever opens it finds out that they did not. Then what was
   * read of one is kept as long as there is memory for it, and nobody asks whether it is still the same: a run has one request to S3
   * instead of three.
   */
  readonly keepsWhatItRead?: boolean;
  /**
   * Whether the session makes nothing on this machine: it has no folder for what does not fit into memory, and an extension that
   * is missing is not installed. The authorities of TLS, which DuckDB reads from a file, are in a folder for its length also then.
   */
  readonly leavesNoTrace?: boolean;
  /** Is told what goes wrong when the session is closed, which no longer decides anything. */
  readonly warn: (message: string) => void;
}

/** What a session is started with, before it is known what it may touch. */
export type StartOptions = Omit<SessionOptions, "reach">;

/** An in-memory DuckDB that is starting. */
export interface StartingDuckDb {
  /**
   * Gives it what it may touch, once. From then on it can reach nothing else, and nothing can be set.
   * @throws PipelineError INVALID_SETTINGS if it has not started.
   */
  confine(reach: Reach): Promise<Engine>;
  /** Ends it, even if it has not started. */
  close(): Promise<void>;
}

/** Starts a DuckDB, which takes a while, most of all with S3: there is time to find out what it may touch. */
export function startDuckDb(options: StartOptions): StartingDuckDb {
  const starting = nativeCall(() => openSession(options));
  // It is told to who wants to use it.
  starting.catch(() => undefined);
  return {
    confine: async (reach) => {
      const { folder, pool, s3 } = await untilAborted(starting, options.signal, INTERRUPT_MILLISECONDS);
      await confine(pool, reach, folder?.path, options);
      return engineOf(pool, s3, folder?.path, options.signal);
    },
    close: async () => {
      const session = await untilAborted(starting, options.signal, INTERRUPT_MILLISECONDS).catch(
        () => undefined,
      );
      if (session === undefined) return;
      // A statement that does not stop uses them, and ends with the process.
      if (!options.signal.aborted || !hasNativeCalls()) {
        session.pool.close();
        session.instance.closeSync();
      }
      await removeSessionFolder(session.folder, options);
    },
  };
}

/**
 * Opens an in-memory DuckDB that can reach nothing but what it is given, does something with it, and closes it.
 * @throws PipelineError INVALID_SETTINGS if it cannot be opened.
 */
export async function withDuckDb<Result>(
  options: SessionOptions,
  use: (engine: Engine) => Promise<Result>,
): Promise<Result> {
  const starting = startDuckDb(options);
  try {
    return await use(await starting.confine(options.reach));
  } finally {
    await starting.close();
  }
}

/** The folder of a session's own; undefined if it needs none. */
async function makeSessionFolder({
  settings,
  s3,
  leavesNoTrace = false,
}: StartOptions): Promise<TempDirectory | undefined> {
  if (!leavesNoTrace) return makeTempDirectory(settings.tempDirectory);
  if (s3 === undefined || !usesTls(s3)) return undefined;
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-"));
  return { path: folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

async function removeSessionFolder(
  folder: TempDirectory | undefined,
  { warn }: Pick<StartOptions, "warn">,
): Promise<void> {
  await folder?.remove().catch((error: unknown) => {
    warn(`cannot remove the temporary folder ${folder.path}: ${messageOf(error)}`);
  });
}

async function openSession(options: StartOptions) {
  const { settings, s3: access, keepsWhatItRead = false, leavesNoTrace = false } = options;
  const folder = await makeSessionFolder(options);
  let instance: DuckDBInstance | undefined;
  try {
    instance = await DuckDBInstance.create(":memory:", {
      ...(settings.memoryLimit === undefined ? {} : { memory_limit: settings.memoryLimit }),
      ...(settings.threads === undefined ? {} : { threads: String(settings.threads) }),
      temp_directory: leavesNoTrace ? "" : (folder?.path ?? ""),
      ...extensionOptions(settings),
      autoinstall_known_extensions: "false",
      autoload_known_extensions: "false",
      allow_community_extensions: "false",
      // It tells a local file that was replaced by its time alone, to the second.
      enable_external_file_cache: String(keepsWhatItRead),
    });
    const pool = new ConnectionPool(await openConnections(instance));
    if (settings.sessions > 1) await pool.lend((connection) => limitMemory(connection, settings.sessions));
    const s3 =
      access &&
      (await pool.lend((connection) =>
        openS3(connection, access, { ...settings, installs: !leavesNoTrace, folder: folder?.path }),
      ));
    return { folder, instance, pool, s3 };
  } catch (error) {
    instance?.closeSync();
    await removeSessionFolder(folder, options);
    throw unstartable(error);
  }
}

async function confine(
  pool: ConnectionPool,
  { directories, files }: Reach,
  folder: string | undefined,
  { keepsWhatItRead = false, pushesFilters = false }: StartOptions,
): Promise<void> {
  const own = folder === undefined ? [] : [folder];
  const statements = configuration([...directories, ...own], files, { keepsWhatItRead, pushesFilters });
  try {
    for (const statement of statements) await pool.lend((connection) => connection.run(statement));
  } catch (error) {
    throw unstartable(error);
  }
}

function unstartable(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const fault = machineFault(error);
  if (fault !== undefined) return fault;
  return new PipelineError(
    "INVALID_SETTINGS",
    `DuckDB does not start with these settings: ${messageOf(error)}`,
    { cause: error },
  );
}

async function openConnections(instance: DuckDBInstance): Promise<DuckDBConnection[]> {
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => instance.connect()));
  for (const connection of connections) {
    await connection.run("SET enable_progress_bar = true");
    await connection.run("SET enable_progress_bar_print = false");
  }
  return connections;
}

/** Leaves to each of several sessions its part of the memory that one alone would take. */
async function limitMemory(connection: DuckDBConnection, sessions: number): Promise<void> {
  const read = await connection.runAndReadAll("SELECT current_setting('memory_limit') AS memory_limit");
  const [row = {}] = read.getRowObjectsJson() as Row[];
  const [amount = "", unit = ""] = textOf(row, "memory_limit").split(" ");
  await connection.run(`SET GLOBAL memory_limit = ${literal(`${Number(amount) / sessions} ${unit}`)}`);
}

function configuration(
  directories: readonly string[],
  files: readonly string[],
  { keepsWhatItRead, pushesFilters }: Required<Pick<SessionOptions, "keepsWhatItRead" | "pushesFilters">>,
): string[] {
  // DuckDB asks for a path as it is given to it, and again as it was found.
  const allowed = (paths: readonly string[]) =>
    listLiteral([...new Set([...paths, ...paths.map(pathPattern)])]);
  return [
    "SET GLOBAL TimeZone = 'UTC'",
    // A filter that is pushed below a projection computes the parsed columns a second time.
    ...(pushesFilters ? [] : ["SET GLOBAL disabled_optimizers = 'filter_pushdown'"]),
    ...(keepsWhatItRead ? KEEPING : []),
    `SET GLOBAL allowed_directories = ${allowed(directories.map(withSlash))}`,
    `SET GLOBAL allowed_paths = ${allowed(files)}`,
    "SET GLOBAL enable_external_access = false",
    // From here on nothing can be set, not by the SQL of a model either.
    "SET GLOBAL lock_configuration = true",
    ...["raw", "curated", "measures", "provision"].map((schema) => `CREATE SCHEMA ${schema}`),
  ];
}

/** @param folder the session's own; undefined if it has none. */
function engineOf(
  pool: ConnectionPool,
  s3: S3Session | undefined,
  folder: string | undefined,
  sessionSignal: AbortSignal,
): Engine {
  const interruptible = async <Result>(
    connection: DuckDBConnection,
    statement: () => Promise<Result>,
    signal = sessionSignal,
  ) => {
    if (signal.aborted) throw cancelled(signal);
    const interrupt = () => {
      connection.interrupt();
    };
    signal.addEventListener("abort", interrupt, { once: true });
    try {
      const call = nativeCall(async () => {
        await s3?.renewKeys(connection);
        return statement();
      });
      return await untilAborted(call, sessionSignal, INTERRUPT_MILLISECONDS);
    } catch (error) {
      if (isAborted(signal)) throw cancelled(signal);
      throw machineFault(error) ?? temporaryFileFault(error, folder) ?? translateDuckDbError(error);
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
    ...bySpeaking({ run, rows }, folder),
    version: `DuckDB ${version()}, ${FILE_FORMAT}`,
    folder,
    assertSelects: (sql) => connected((connection) => assertSelects(connection, sql)),
    makeFunctions: (sql) =>
      connected(async (connection) => {
        await assertMakesFunctions(connection, sql);
        await connection.run(sql);
      }),
    run,
    rows,
    parts: async function* (sql) {
      const connection = await pool.take();
      try {
        const result = await interruptible(connection, () => connection.stream(sql));
        for (;;) {
          const chunk = await interruptible(connection, () => result.fetchChunk());
          if (chunk === null || chunk.rowCount === 0) return;
          yield chunk.convertColumns(JsonDuckDBValueConverter);
        }
      } finally {
        pool.giveBack(connection);
      }
    },
    adHoc: (use) =>
      pool.lend((connection) =>
        use((sql, signal) => {
          const either = AbortSignal.any([sessionSignal, signal]);
          return runStatements(connection, sql, (work) => interruptible(connection, work, either));
        }),
      ),
    progress: () => {
      const known = pool.busy
        .map(({ progress }) => progress.percentage)
        .filter((percentage) => percentage >= 0);
      return known.length === 0 ? undefined : Math.min(...known);
    },
  };
}

function withSlash(directory: string): string {
  return directory.endsWith("/") ? directory : `${directory}/`;
}

/** Asked again: the signal may have been aborted while a statement ran. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Lends connections, each to one statement at a time; who finds none waits in line. */
class ConnectionPool {
  readonly #idle: DuckDBConnection[];
  readonly #busy = new Set<DuckDBConnection>();
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];

  constructor(connections: readonly DuckDBConnection[]) {
    this.#idle = [...connections];
  }

  /** The connections that run a statement. */
  get busy(): readonly DuckDBConnection[] {
    return [...this.#busy];
  }

  async lend<Result>(use: (connection: DuckDBConnection) => Promise<Result>): Promise<Result> {
    const connection = await this.take();
    try {
      return await use(connection);
    } finally {
      this.giveBack(connection);
    }
  }

  /** A connection for the caller alone, until it is given back. */
  async take(): Promise<DuckDBConnection> {
    const connection =
      this.#idle.pop() ?? (await new Promise<DuckDBConnection>((take) => this.#waiting.push(take)));
    this.#busy.add(connection);
    return connection;
  }

  giveBack(connection: DuckDBConnection): void {
    this.#busy.delete(connection);
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }

  /** Closes all connections. None may be lent. */
  close(): void {
    for (const connection of this.#idle) connection.closeSync();
  }
}

/**
 * What does more than compute, in spite of the locked configuration: a log goes to files or to standard output and shows what S3 is
 * asked with, a profile is printed. The last ones run a text in which no such call would be seen.
 */
const POWERS: Powers = {
  makesFunction: /^create (or replace )?(temp |temporary )?(macro|function) /i,
  functionStatement: "CREATE MACRO",
  doMore:
    /^((enable|disable)_(logging|profil[a-z]*|peg_parser)|truncate_duckdb_logs|query|json_execute_serialized_sql)$/,
};

/**
 * Refuses what a model or an audit is not.
 * @throws an error of DuckDB where the text does not parse by itself, a DuckDbError if it is more than one SELECT.
 */
async function assertSelects(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.extractStatements(sql);
  refuse(refusalOfSelect(sql, POWERS));
}

/**
 * Refuses what a file of functions is not.
 * @throws an error of DuckDB where the text does not parse, a DuckDbError if it does more than make functions.
 */
async function assertMakesFunctions(connection: DuckDBConnection, sql: string): Promise<void> {
  const { count } = await connection.extractStatements(sql);
  // If DuckDB sees other statements than we do, we have not looked at all of them.
  const isSeen = count === statementsOf(sql).length;
  refuse(isSeen ? refusalOfFunctions(sql, POWERS) : "its statements cannot be separated: it was not run");
}

function refuse(refusal: string | undefined): void {
  if (refusal !== undefined) throw new DuckDbError("Permission", refusal);
}
