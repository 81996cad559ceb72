import type { Consumption } from "./consumption.js";
import { openSqlite } from "./sqlite.js";

/**
 * Opens the consumption database.
 * @param access a reader makes nothing, neither file nor tables.
 * @throws PipelineError CONSUMPTION_NOT_USABLE or CONSUMPTION_UNAVAILABLE.
 */
export function openConsumption(url: string, access: "read" | "write"): Promise<Consumption> {
  return openSqlite(url.slice("sqlite:".length), access);
}
