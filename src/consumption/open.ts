import type { Consumption } from "./consumption.js";

/**
 * Opens the consumption database for the pipeline, which makes what is missing.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumption(url: string): Promise<Consumption> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysql(url);
  return (await import("./sqlite.js")).openSqlite(fileOf(url));
}

/**
 * Opens the consumption database for a reader, which changes nothing.
 * @returns undefined where no run has made the database yet.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumptionForReading(url: string): Promise<Consumption | undefined> {
  if (isMysql(url)) return (await import("./mysql.js")).openMysqlForReading(url);
  return (await import("./sqlite.js")).openSqliteForReading(fileOf(url));
}

/**
 * Opens the consumption database for a reader, which changes nothing; where no run has made it yet, an empty one in memory, that
 * says the same SQL.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export async function openConsumptionOrEmpty(url: string): Promise<Consumption> {
  const consumption = await openConsumptionForReading(url);
  return consumption ?? (await import("./sqlite.js")).emptySqlite(fileOf(url));
}

function isMysql(url: string): boolean {
  return url.startsWith("mysql://");
}

function fileOf(url: string): string {
  return url.slice("sqlite:".length);
}
