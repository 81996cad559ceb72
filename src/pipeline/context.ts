import type { Consumption } from "../consumption/consumption.js";
import type { SqlVersion } from "../models/load.js";
import type { Settings } from "../settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Zone } from "../zones/zone.js";
import type { RunActivity } from "./activity.js";
import type { Stage } from "./report.js";

export type Zones = Readonly<Record<"raw" | "curated" | "provision", Zone>>;

/** What every part of a run works with. */
export interface RunContext {
  /** The partition key and random digits: unique, and it tells the execution date in a folder's name. */
  readonly runId: string;
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
  readonly settings: Settings;
  readonly version: SqlVersion;
  readonly zones: Zones;
  readonly consumption: Consumption;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  readonly activity: RunActivity;
}
