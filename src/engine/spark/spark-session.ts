import { setTimeout as sleep } from "node:timers/promises";
import { PipelineError, cancelled } from "../../base/errors.js";
import type { SparkSettings } from "../../settings/settings.js";
import { identifier } from "../../sql-text/literal.js";
import { sparkName, sparkPath } from "../../sql-text/spark-literal.js";
import { textOf, type Row, type RowValue } from "../builder.js";
import { connectSpark, type Limits, type SparkConnection } from "./spark-connection.js";
import { statementError, SparkError } from "./spark-errors.js";

/** A session at a Spark, with its own temporary views. Calls may run in parallel. */
export interface SparkSession {
  /** The engine's name and version, for example `Spark 4.3.0`. */
  readonly version: string;
  /** Runs a statement without a result. */
  run(sql: string): Promise<void>;
  /** All rows of a query, in its order. */
  rows(sql: string): Promise<Row[]>;
  /** Ends the session and its temporary views. */
  close(): Promise<void>;
}

/**
 * Settings that make a session compute as the models expect, whatever the cluster's own settings are: every setting
 * of Spark that changes rows, hides files or changes what a text of ours means. Most are Spark's own defaults.
 */
const SESSION_SETTINGS: Readonly<Record<string, string>> = {
  // Moments are in UTC and have no time zone, in files too: otherwise DuckDB would read them as moments with one.
  "spark.sql.session.timeZone": "UTC",
  "spark.sql.timestampType": "TIMESTAMP_NTZ",
  "spark.sql.parquet.inferTimestampNTZ.enabled": "true",
  "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
  "spark.sql.legacy.timeParserPolicy": "CORRECTED",
  // The calendar of DuckDB, also before 1582.
  "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
  "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
  "spark.sql.parquet.int96RebaseModeInRead": "CORRECTED",
  "spark.sql.parquet.int96RebaseModeInWrite": "CORRECTED",
  // Nobody reads nanoseconds and INT96, but Spark would refuse files with such a column.
  "spark.sql.legacy.parquet.nanosAsLong": "true",
  "spark.sql.parquet.int96AsTimestamp": "true",
  // All files count, with their columns by name and nothing else.
  "spark.sql.files.ignoreCorruptFiles": "false",
  "spark.sql.files.ignoreMissingFiles": "false",
  // Rows that DuckDB fetches are in the order of the file names.
  "spark.sql.files.maxRecordsPerFile": "0",
  "spark.sql.files.ignoredPathSegmentRegex": "^[._]",
  "spark.sql.parquet.mergeSchema": "false",
  "spark.sql.parquet.fieldId.read.enabled": "false",
  "spark.sql.parquet.writeLegacyFormat": "false",
  "spark.sql.parquet.compression.codec": "zstd",
  "spark.sql.runSQLOnFiles": "true",
  // New files move once instead of twice: nobody reads the files of a statement before it has succeeded.
  "mapreduce.fileoutputcommitter.algorithm.version": "2",
  // The language. Columns of raw files can differ only by case. Text that looks like a variable stays text.
  "spark.sql.ansi.enabled": "true",
  "spark.sql.ansi.doubleQuotedIdentifiers": "true",
  "spark.sql.ansi.enforceReservedKeywords": "false",
  "spark.sql.ansi.relationPrecedence": "false",
  "spark.sql.caseSensitive": "true",
  "spark.sql.variable.substitute": "false",
  "spark.sql.scripting.enabled": "true",
  "spark.sql.groupByAliases": "true",
  "spark.sql.groupByOrdinal": "true",
  "spark.sql.orderByOrdinal": "true",
  "spark.sql.mapKeyDedupPolicy": "EXCEPTION",
  "spark.sql.parser.escapedStringLiterals": "false",
  "spark.sql.parser.quotedRegexColumnNames": "false",
  "spark.sql.legacy.parser.havingWithoutGroupByAsWhere": "false",
  "spark.sql.legacy.ctePrecedencePolicy": "CORRECTED",
  "spark.sql.legacy.setopsPrecedence.enabled": "false",
  "spark.sql.legacy.exponentLiteralAsDecimal.enabled": "false",
  "spark.sql.error.messageFormat": "PRETTY",
  // All audits of a table are counted in one scan.
  "spark.sql.optimizer.mergeSubplans.filterPropagation.enabled": "true",
  "spark.sql.optimizer.mergeSubplans.filterPropagation.symmetricFilterPropagation.enabled": "true",
};

const SHARED_SESSION = "spark.sql.hive.thriftServer.singleSession";

const OLDEST_MAJOR_VERSION = 4;

const LIMITS: Limits = { connect: 10_000, open: 180_000, answer: 60_000, farewell: 2_000 };

/**
 * Opens a session at a Spark. After the signal has aborted, and the server has cancelled the statement, every call
 * rejects with a PipelineError of code CANCELLED. If Spark refuses a statement, the call rejects with a SparkError.
 * @throws PipelineError ENGINE_UNAVAILABLE if there is no server, also during statements; ENGINE_NOT_USABLE if it
 * refuses access, or is too old.
 */
export async function openSparkSession(
  settings: SparkSettings,
  signal: AbortSignal,
  limits: Limits = LIMITS,
): Promise<SparkSession> {
  const connection = await connectSpark(settings, signal, limits, SESSION_SETTINGS);
  const fetched = (sql: string) =>
    runStatement(connection, sql, signal, (operation) => fetchRows(connection, operation));
  const run = (sql: string) => runStatement(connection, sql, signal, () => Promise.resolve());
  try {
    const version = await versionOf(connection, fetched);
    await ensureSettings(fetched, run);
    return {
      version: `Spark ${version}`,
      run,
      rows: async (sql) => {
        const { columns, rows } = await fetched(sql);
        const nested = columns.filter(({ nested }) => nested).map(({ name }) => name);
        if (nested.length === 0) return rows;
        return (await fetched(withJson(sql, columns))).rows.map((row) => parsed(row, nested));
      },
      close: connection.close,
    };
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/**
 * A server can ignore the settings of a new session. Then each one takes a statement.
 * @throws PipelineError ENGINE_NOT_USABLE if all clients of the server share one session.
 */
async function ensureSettings(
  fetched: (sql: string) => Promise<Fetched>,
  run: (sql: string) => Promise<void>,
): Promise<void> {
  const { rows } = await fetched("SET");
  const current = new Map(rows.map(({ key, value }) => [key, value]));
  // Another run would replace the views of this one.
  if (current.get(SHARED_SESSION) === "true") {
    throw new PipelineError(
      "ENGINE_NOT_USABLE",
      `all clients of this Spark share one session, and would mix their data; start it with ${SHARED_SESSION}=false`,
    );
  }
  const ignored = Object.entries(SESSION_SETTINGS).filter(([name, value]) => current.get(name) !== value);
  await Promise.all(ignored.map(([name, value]) => run(`SET ${name}=${value}`)));
}

/** A path that does not exist. A check of it needs the same rights as any other path, and one request. */
const NOTHING = "_nothing_is_here";

/**
 * Checks that a cluster can read below an address on S3.
 * @throws PipelineError ENGINE_NOT_USABLE if it has no client, no keys or no rights, STORAGE_FAILED if S3 does not
 * respond to it.
 */
export async function assertReaches(session: SparkSession, uri: string): Promise<void> {
  try {
    await session.run(`SELECT * FROM text.${sparkName(`${sparkPath(uri)}/${NOTHING}`)}`);
  } catch (error) {
    if (!(error instanceof SparkError)) throw error;
    if (error.condition === "PATH_NOT_FOUND") return;
    throw new PipelineError("ENGINE_NOT_USABLE", `${session.version} cannot list ${uri}: ${error.message}`, {
      cause: error,
    });
  }
}

async function versionOf(
  { server }: SparkConnection,
  fetched: (sql: string) => Promise<Fetched>,
): Promise<string> {
  const {
    rows: [row = {}],
  } = await fetched("SELECT version() AS version");
  const [version = ""] = textOf(row, "version").split(" ");
  if (Number.parseInt(version) >= OLDEST_MAJOR_VERSION) return version;
  throw new PipelineError(
    "ENGINE_NOT_USABLE",
    `${server} has version ${version}, but ${OLDEST_MAJOR_VERSION}.0 or newer is required; set another server in ENGINE`,
  );
}

/** The same query with its lists, maps and structs as JSON, because Spark's own text of them is not parseable. */
function withJson(sql: string, columns: Fetched["columns"]): string {
  const selected = columns.map(({ name, nested }) => {
    const column = identifier(name);
    return nested ? `to_json(${column}) AS ${column}` : column;
  });
  return `SELECT ${selected.join(", ")} FROM (${sql}\n)`;
}

function parsed(row: Row, names: readonly string[]): Row {
  const values = names.map((name) => [
    name,
    row[name] === null ? null : (JSON.parse(textOf(row, name)) as RowValue),
  ]);
  return { ...row, ...(Object.fromEntries(values) as Row) };
}

/** A statement at the server, in the types of hive-driver. */
export type Operation = Awaited<ReturnType<SparkConnection["session"]["executeStatement"]>>;

/** The states of a statement in HiveServer2: finished; initialized, running and pending. */
const FINISHED = 2;
const UNDER_WAY = [0, 1, 7];

/** How often to ask for the reason of a failed statement: Spark reports the failure a moment before it knows the reason. */
const QUESTIONS_WHY = 20;

const CANCEL_MILLISECONDS = 1_000;
const FIRST_PAUSE_MILLISECONDS = 10;
const LONGEST_PAUSE_MILLISECONDS = 500;

/**
 * Runs a statement to its end, and uses its result before it is closed. On abort the server cancels it.
 * @throws SparkError if Spark refuses it, PipelineError ENGINE_UNAVAILABLE if the server is lost.
 */
export async function runStatement<Result>(
  connection: SparkConnection,
  sql: string,
  signal: AbortSignal,
  use: (operation: Operation) => Promise<Result>,
): Promise<Result> {
  if (signal.aborted) throw cancelled(signal);
  const { session, answer, farewell } = connection;
  const operation = await answer(session.executeStatement(sql, { runAsync: true }));
  try {
    await untilFinished(connection, operation, signal);
    return await use(operation);
  } catch (error) {
    if (!isAborted(signal)) throw error;
    await farewell(operation.cancel());
    // Spark ends the current jobs of the statement. A job that was about to start ends when the statement is closed.
    await sleep(CANCEL_MILLISECONDS);
    throw cancelled(signal);
  } finally {
    await farewell(operation.close());
  }
}

/** Polls the state of a statement at growing intervals, until it has ended. */
async function untilFinished(
  { server, answer }: SparkConnection,
  operation: Operation,
  signal: AbortSignal,
): Promise<void> {
  let questionsWhy = 0;
  for (let pause = FIRST_PAUSE_MILLISECONDS; ; pause = Math.min(pause * 1.5, LONGEST_PAUSE_MILLISECONDS)) {
    const { operationState, errorMessage, sqlState } = await answer(operation.status(false));
    if (operationState === FINISHED) return;
    if (operationState === undefined || !UNDER_WAY.includes(operationState)) {
      if (errorMessage != null || ++questionsWhy > QUESTIONS_WHY)
        throw statementError(server, errorMessage, sqlState);
    }
    await sleep(pause, undefined, { signal });
  }
}

/** Checked again: the signal may have aborted while the statement ran. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

/** The number of rows in one response. */
const ROWS_OF_A_FETCH = 1_000;
/** HiveServer2's numbers for column types: lists, maps and structs. */
const NESTED = [10, 11, 12];

/** The result of a statement. */
export interface Fetched {
  /** The columns by name, and whether they hold lists, maps or structs: for these there is only Spark's own text. */
  readonly columns: readonly { readonly name: string; readonly nested: boolean }[];
  readonly rows: Row[];
}

/** Fetches all rows of a finished statement. */
export async function fetchRows({ answer }: SparkConnection, operation: Operation): Promise<Fetched> {
  operation.setMaxRows(ROWS_OF_A_FETCH);
  const rows: Row[] = [];
  let columns: Fetched["columns"];
  do {
    await answer(operation.fetch());
    columns = columnsOf(operation);
    for (const { columns: sent = [] } of operation.getData()) rows.push(...rowsOf(columns, sent));
    operation.flush();
  } while (operation.hasMoreRows());
  return { columns, rows };
}

function columnsOf(operation: Operation): Fetched["columns"] {
  const described = operation.getSchema()?.columns ?? [];
  return described
    .toSorted((a, b) => a.position - b.position)
    .map(({ columnName, typeDesc }) => ({
      name: columnName,
      nested: NESTED.includes(typeDesc.types[0]?.primitiveEntry.type ?? 0),
    }));
}

/** The server's form of a column: its values, under the name of their kind, and a bit for each null. */
type SentColumn = Record<string, { readonly values: unknown[]; readonly nulls: Buffer } | null>;

function rowsOf(columns: Fetched["columns"], sent: readonly SentColumn[]): Row[] {
  const values = sent.map(valuesOf);
  return (values[0] ?? []).map((_, row) =>
    Object.fromEntries(columns.map(({ name }, column) => [name, values[column]?.[row] ?? null])),
  );
}

function valuesOf(column: SentColumn): RowValue[] {
  return Object.entries(column).flatMap(([kind, sent]) =>
    (sent?.values ?? []).map((value, row) => (isSet(sent?.nulls, row) ? null : valueOf(kind, value))),
  );
}

function isSet(bits: Buffer | undefined, place: number): boolean {
  return (((bits?.[place >> 3] ?? 0) >> (place & 7)) & 1) === 1;
}

/** A value in the same form as in DuckDB's rows. */
function valueOf(kind: string, value: unknown): RowValue {
  switch (kind) {
    case "i64Val": {
      const { buffer, offset } = value as { readonly buffer: Buffer; readonly offset: number };
      return buffer.readBigInt64BE(offset).toString();
    }
    case "doubleVal":
      return Number.isFinite(value) ? (value as number) : String(value);
    case "binaryVal":
      return [...(value as Buffer)].map(byteText).join("");
    default:
      return value as string | number | boolean;
  }
}

function byteText(byte: number): string {
  const isPrintable = byte >= 0x20 && byte < 0x7f && byte !== 0x5c;
  return isPrintable ? String.fromCharCode(byte) : `\\x${byte.toString(16).toUpperCase().padStart(2, "0")}`;
}
