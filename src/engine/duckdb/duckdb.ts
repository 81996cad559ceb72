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

/** The project's own part of the file format. Its name changes if the same rows give other bytes. */
const FILE_FORMAT = "files with an Arrow schema";

/** The maximum number of parallel statements. More statements would have to share the memory limit. */
const CONNECTIONS = 2;

/** How long a statement has to stop after an interrupt. */
const INTERRUPT_MILLISECONDS = 2_000;

/** Settings that let DuckDB cache all it has read: the content of a file, and its footer, size and ETag. */
const KEEPING = [
  "SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'",
  "SET GLOBAL parquet_metadata_cache = true",
  "SET GLOBAL enable_http_metadata_cache = true",
];

/** The paths that a session may use outside of its memory. */
export interface Reach {
  /** Folders to read and write below. */
  readonly directories: readonly string[];
  /** Single files to read. */
  readonly files: readonly string[];
}

/** The options of a session. */
interface SessionOptions {
  readonly settings: DuckDbSettings;
  readonly reach: Reach;
  /** The access to S3; undefined if no file is there. */
  readonly s3?: S3Access | undefined;
  /** Aborts the running statements. */
  readonly signal: AbortSignal;
  /**
   * Whether filters run before computed columns, so that files without matches are not opened. Models do without
   * this, because they would compute the parsed columns twice.
   */
  readonly pushesFilters?: boolean;
  /**
   * Whether the files stay the same during the session, or its caller detects if they did not. Then DuckDB caches the
   * contents of files as long as there is memory, and does not check them again: a run sends one request to S3
   * instead of three.
   */
  readonly keepsWhatItRead?: boolean;
  /**
   * Whether the session creates nothing on this machine: it has no folder for data that does not fit into memory, and
   * does not install a missing extension. Even then the TLS authorities are in a folder during the session, because
   * DuckDB reads them from a file.
   */
  readonly leavesNoTrace?: boolean;
  /** Receives faults of closing the session, which no longer affect the result. */
  readonly warn: (message: string) => void;
}

/** The options for starting a session, before its paths are known. */
export type StartOptions = Omit<SessionOptions, "reach">;

/** An in-memory DuckDB that is starting. */
export interface StartingDuckDb {
  /**
   * Sets the paths that it may use, once. From then on it can reach no other path, and no setting can change.
   * @throws PipelineError INVALID_SETTINGS if it has not started.
   */
  confine(reach: Reach): Promise<Engine>;
  /** Ends it, even during its start. */
  close(): Promise<void>;
}

/** Starts a DuckDB. This takes some time, especially with S3, and meanwhile the caller can find out its paths. */
export function startDuckDb(options: StartOptions): StartingDuckDb {
  const starting = nativeCall(() => openSession(options));
  // The user of the engine receives a failure.
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
      // A statement that does not stop uses the connections, and ends with the process.
      if (!options.signal.aborted || !hasNativeCalls()) {
        session.pool.close();
        session.instance.closeSync();
      }
      await removeSessionFolder(session.folder, options);
    },
  };
}

/**
 * Opens an in-memory DuckDB that can reach only its given paths, works with it, and closes it.
 * @throws PipelineError INVALID_SETTINGS if it does not open.
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

/** The session's own folder; undefined if it needs none. */
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
      // It detects a replaced local file only by its time, in seconds.
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
    await pool.lend((connection) => connection.run(statements.join(";\n")));
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
  for (const connection of connections)
    await connection.run("SET enable_progress_bar = true; SET enable_progress_bar_print = false");
  return connections;
}

/** Gives each of several sessions its share of the memory limit of one session. */
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
  // DuckDB checks a path in the given form, and again in the found form.
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
    // From here on no setting can change, not by the SQL of a model either.
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

/** Checked again: the signal may have aborted while a statement ran. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** Lends connections, each to one statement at a time. If none is free, the caller waits in line. */
class ConnectionPool {
  readonly #idle: DuckDBConnection[];
  readonly #busy = new Set<DuckDBConnection>();
  readonly #waiting: ((connection: DuckDBConnection) => void)[] = [];

  constructor(connections: readonly DuckDBConnection[]) {
    this.#idle = [...connections];
  }

  /** The connections with a running statement. */
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

  /** A connection for the caller alone, until the caller returns it. */
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

  /** Closes all connections. None may be in use. */
  close(): void {
    for (const connection of this.#idle) connection.closeSync();
  }
}

/**
 * Functions with side effects that the locked configuration does not stop. A log goes to files or to standard output,
 * and shows requests to S3; a profile is printed. The last ones run a text in which such a call would not be seen.
 */
const POWERS: Powers = {
  makesFunction: /^create (or replace )?(temp |temporary )?(macro|function) /i,
  functionStatement: "CREATE MACRO",
  doMore:
    /^((enable|disable)_(logging|profil[a-z]*|peg_parser)|truncate_duckdb_logs|query|json_execute_serialized_sql)$/,
};

/**
 * Refuses a text that cannot be a model or an audit.
 * @throws an error of DuckDB if the text does not parse by itself, a DuckDbError if it is not exactly one SELECT.
 */
async function assertSelects(connection: DuckDBConnection, sql: string): Promise<void> {
  await connection.extractStatements(sql);
  refuse(refusalOfSelect(sql, POWERS));
}

/**
 * Refuses a text that cannot be a file of functions.
 * @throws an error of DuckDB if the text does not parse, a DuckDbError if it contains other statements than
 * functions.
 */
async function assertMakesFunctions(connection: DuckDBConnection, sql: string): Promise<void> {
  const { count } = await connection.extractStatements(sql);
  // If DuckDB counts other statements than this check, the check has missed some.
  const isSeen = count === statementsOf(sql).length;
  refuse(isSeen ? refusalOfFunctions(sql, POWERS) : "its statements cannot be separated: it was not run");
}

function refuse(refusal: string | undefined): void {
  if (refusal !== undefined) throw new DuckDbError("Permission", refusal);
}
