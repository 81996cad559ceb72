import { PipelineError } from "../../base/errors.js";
import type { SparkSettings } from "../../settings/settings.js";
import { identifier } from "../../sql-text/literal.js";
import { textOf, type Row, type RowValue } from "../engine.js";
import { connectSpark, type Limits, type SparkConnection } from "./connection.js";
import { fetchRows, type Fetched } from "./rows.js";
import { runStatement } from "./statement.js";

/** A session at a Spark, with its own temporary views. Calls may be made side by side. */
export interface SparkSession {
  /** The engine's name and version, as `Spark 4.3.0`. */
  readonly version: string;
  /** Runs a statement that returns nothing that matters. */
  run(sql: string): Promise<void>;
  /** The rows of a query, all of them, in its order. */
  rows(sql: string): Promise<Row[]>;
  /** Ends the session; its temporary views go with it. */
  close(): Promise<void>;
}

/** What makes a session compute as the models expect, whatever the cluster's own settings are. */
const SESSION_SETTINGS = {
  "spark.sql.session.timeZone": "UTC",
  // Moments without a time zone, in files too: DuckDB would read others as moments with one.
  "spark.sql.timestampType": "TIMESTAMP_NTZ",
  "spark.sql.ansi.enabled": "true",
  "spark.sql.ansi.doubleQuotedIdentifiers": "true",
  // Nanoseconds are read as whole numbers; Spark refuses their columns otherwise.
  "spark.sql.legacy.parquet.nanosAsLong": "true",
  "spark.sql.parquet.compression.codec": "zstd",
  // Columns of raw files can differ by case alone.
  "spark.sql.caseSensitive": "true",
  // Text whose writer did not say so, as for DuckDB.
  "spark.sql.parquet.binaryAsString": "true",
  // What was written last is moved once, and not twice: nobody reads the files of a statement before it has succeeded.
  "mapreduce.fileoutputcommitter.algorithm.version": "2",
  // What looks like a variable in a text stays text.
  "spark.sql.variable.substitute": "false",
};

const OLDEST_MAJOR_VERSION = 4;

const LIMITS: Limits = { connect: 10_000, open: 180_000, answer: 60_000, farewell: 2_000 };

/**
 * Opens a session at a Spark. Every call of it rejects with a PipelineError of code CANCELLED once the signal has been aborted,
 * when the statement was cancelled at the server, too; with a SparkError where Spark refuses a statement.
 * @throws PipelineError ENGINE_UNAVAILABLE where there is no server, also while statements run; ENGINE_NOT_USABLE where it lets
 * nobody in, or is too old.
 */
export async function openSparkSession(
  settings: SparkSettings,
  signal: AbortSignal,
  limits: Limits = LIMITS,
): Promise<SparkSession> {
  const connection = await connectSpark(settings, signal, limits);
  const fetched = (sql: string) =>
    runStatement(connection, sql, signal, (operation) => fetchRows(connection, operation));
  const run = (sql: string) => runStatement(connection, sql, signal, () => Promise.resolve());
  try {
    const version = await versionOf(connection, fetched);
    await Promise.all(Object.entries(SESSION_SETTINGS).map(([name, value]) => run(`SET ${name}=${value}`)));
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
    `${server} is of version ${version}, and ${OLDEST_MAJOR_VERSION}.0 is the oldest that can be used; name another one in ENGINE`,
  );
}

/** The same query with its lists, maps and structs as JSON: the text that Spark writes of them cannot be read back. */
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
