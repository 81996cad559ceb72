import type { Consumption, Lock } from "../consumption/consumption.js";
import type { SqlVersion } from "../models/load.js";
import type { Stage } from "../record/run-record.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Zones } from "../zones/open.js";
import type { RunActivity } from "./activity.js";
import type { Gate } from "./gate.js";
import type { RunJournal } from "./journal.js";
import type { RawSource } from "./raw-input.js";

/** What every part of a run works with. */
export interface RunContext {
  /** The partition key and random digits: unique, and it tells the execution date in a folder's name. */
  readonly runId: string;
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
  /** Which changes of answers are let through; undefined for all of them. */
  readonly gate: Gate | undefined;
  /** Where it has its raw vouchers from. */
  readonly raw: RawSource;
  readonly settings: Settings;
  readonly version: SqlVersion;
  readonly zones: Zones;
  readonly consumption: Consumption;
  /** The lock of the execution date. */
  readonly lock: Lock;
  /** Cancels the run. */
  readonly signal: AbortSignal;
  readonly activity: RunActivity;
  readonly journal: RunJournal;
}
