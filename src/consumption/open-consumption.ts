import path from "node:path";
import type { Consumption } from "./consumption.js";
import { readMysqlUrl } from "./mysql-address.js";

/** Other processes seldom lock a whole SQLite file, and only for a short time. */
const SQLITE_PATIENCE_MILLISECONDS = 10_000;

/**
 * Opens the consumption database for the pipeline, and creates missing parts.
 * @param signal cancels the work of the connection; then a silent server has little time left.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumption(url: string, signal?: AbortSignal): Promise<Consumption> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysql(url, signal);
  return (await import("./sqlite.js")).openSqlite(fileOf(url), signal);
}

/**
 * Opens the consumption database for a reader, which changes nothing.
 * @returns undefined if no run has made the database yet.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumptionForReading(url: string): Promise<Consumption | undefined> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysqlForReading(url);
  return (await import("./sqlite.js")).openSqliteForReading(fileOf(url));
}

/**
 * Opens the consumption database again by its address, to read the same state as other processes while a run writes.
 * It changes nothing, and is as patient as a run.
 * @returns undefined if the database is no longer at its address.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumptionOutside(url: string): Promise<Consumption | undefined> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysql(url);
  return (await import("./sqlite.js")).openSqliteForReading(fileOf(url), SQLITE_PATIENCE_MILLISECONDS);
}

/**
 * Opens the consumption database for inspection. No byte of it changes. If no run has created it yet, it looks empty.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumptionUntouched(url: string): Promise<Consumption> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysqlForReading(url);
  return (await import("./sqlite.js")).openSqliteUntouched(fileOf(url));
}

function isMysql(url: string): boolean {
  return url.startsWith("mysql://");
}

function fileOf(url: string): string {
  return url.slice("sqlite:".length);
}

/** A database as others name it, without user and password. */
interface DataSource {
  /** `mysql://host:3306`, or `sqlite:///lake/consumption.db`. */
  readonly uri: string;
  /** The prefix of a table name: the database of a server. */
  readonly database: string | undefined;
}

/** The location of the consumption database. */
export function dataSourceOf(consumptionUrl: string): DataSource {
  if (!consumptionUrl.startsWith("mysql://")) {
    const file = path.resolve(consumptionUrl.slice("sqlite:".length));
    return { uri: `sqlite://${file}`, database: undefined };
  }
  const { database, options } = readMysqlUrl(consumptionUrl);
  return { uri: `mysql://${options.host ?? ""}:${(options.port ?? 0).toString()}`, database };
}
