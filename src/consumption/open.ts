import type { Consumption } from "./consumption.js";
import { openSqlite, openSqliteForReading } from "./sqlite.js";

/**
 * Opens the consumption database for the pipeline, which makes what is missing.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export function openConsumption(url: string): Promise<Consumption> {
  return openSqlite(fileOf(url));
}

/**
 * Opens the consumption database for a reader, which changes nothing.
 * @returns undefined where no run has made the database yet.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export function openConsumptionForReading(url: string): Promise<Consumption | undefined> {
  return openSqliteForReading(fileOf(url));
}

function fileOf(url: string): string {
  return url.slice("sqlite:".length);
}
