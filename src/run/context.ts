import type { Consumption, Lock } from "../consumption/consumption.js";
import type { Engine } from "../engine/duckdb/duckdb-engine.js";
import type { RawPart } from "../models/dialect.js";
import type { SqlVersion } from "../models/load.js";
import type { RawModel } from "../models/model.js";
import type { RawListing, WithNewEngine } from "../raw/inspect-raw.js";
import type { AuditResult, InputFile, RawColumns } from "../record/run-record.js";
import type { Stage } from "../record/stages.js";
import type { ChangeLimit } from "../settings/change-limit.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Zones } from "../zones/open-zones.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import type { RunActivity, RunJournal } from "./activity.js";

/** The inputs of every part of a run. */
export interface RunContext {
  /** The partition key and random digits. It is unique, and shows the execution date in a folder's name. */
  readonly runId: string;
  /** The trace of the run, if there is one. */
  readonly traceId: string | undefined;
  readonly executionDate: ExecutionDate;
  readonly stages: readonly Stage[];
  /** The limit for changed answers; undefined for no limit. */
  readonly gate: Gate | undefined;
  /** Whether it may replace a publication of another SQL version. */
  readonly replacesVersion: boolean;
  /** The source of its raw vouchers. */
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

/** How many answers a publish may change without the approval of a person. */
export interface Gate {
  readonly maxChanged: ChangeLimit;
  /** Whether toss-ups do not count. */
  readonly ignoresTossUps: boolean;
  /** Whether a person has approved more changes. */
  readonly isApproved: boolean;
}

/** The values for the templates of a run. */
export type PlanContext = Pick<RunContext, "executionDate" | "settings" | "version" | "zones">;

/** The source of raw vouchers for runs. */
export interface RawSource {
  /** The files of every raw model. */
  find(context: Pick<RunContext, "version" | "zones">): Promise<readonly RawInput[]>;
  /** Inspects the columns of all raw files. */
  inspect(
    context: PlanContext,
    engine: Engine,
    inputs: readonly RawInput[],
    withNewEngine: WithNewEngine,
  ): Promise<RawParts>;
  /** The files in the form of a run record. */
  inputFiles(zone: Zone, inputs: readonly RawInput[]): Promise<readonly InputFile[]>;
  /** The property of a file that must stay the same until the end of a run. */
  readonly stateOf: (file: ZoneFile) => string;
  /** Typed files that a run reads instead of raw files. */
  readonly typedFiles: readonly string[];
}

/** A raw model and the files it reads. */
export interface RawInput extends RawListing {
  readonly model: RawModel;
}

/** Raw files with known and valid columns. */
export interface RawParts extends TypedRaw {
  readonly byModel: ReadonlyMap<string, readonly RawPart[]>;
  /** Their columns. */
  readonly columns: readonly RawColumns[];
  /** Files of this machine that a run reads instead of some of them. */
  readonly copies: readonly string[];
  /**
   * Reads each raw file alone, after a scan has failed.
   * @throws PipelineError RAW_FILE_UNREADABLE that names the faulty files; returns if there are none.
   */
  explainFault(): Promise<void>;
}

/** The content of raw files after reading and typing. It can be read many times. */
export interface TypedRaw {
  /** The result of a raw model's SELECT, by functions; undefined if nobody has computed it. */
  typed(functions: string, select: string): TypedFile | undefined;
}

/** A Parquet file with the audited result of a raw model's SELECT. */
export interface TypedFile {
  readonly file: string;
  readonly audits: readonly AuditResult[];
}
