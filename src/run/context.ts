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

/** What every part of a run works with. */
export interface RunContext {
  /** The partition key and random digits: unique, and it tells the execution date in a folder's name. */
  readonly runId: string;
  /** The trace that the run belongs to, if there is one. */
  readonly traceId: string | undefined;
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

/** How many answers a publish may change before a person has to say that it may. */
export interface Gate {
  readonly maxChanged: ChangeLimit;
  /** Whether an answer does not count that is a toss-up. */
  readonly ignoresTossUps: boolean;
  /** Whether a person has said so. */
  readonly isApproved: boolean;
}

/** What the templates of a run are filled from. */
export type PlanContext = Pick<RunContext, "executionDate" | "settings" | "version" | "zones">;

/** Where runs have their raw vouchers from. */
export interface RawSource {
  /** The files of every raw model. */
  find(context: Pick<RunContext, "version" | "zones">): Promise<readonly RawInput[]>;
  /** Looks at the columns of all raw files. */
  inspect(
    context: PlanContext,
    engine: Engine,
    inputs: readonly RawInput[],
    withNewEngine: WithNewEngine,
  ): Promise<RawParts>;
  /** The files as the record of a run names them. */
  inputFiles(zone: Zone, inputs: readonly RawInput[]): Promise<readonly InputFile[]>;
  /** What a file must have kept at the end of a run. */
  readonly stateOf: (file: ZoneFile) => string;
  /** What a run reads instead of raw files. */
  readonly typedFiles: readonly string[];
}

/** A raw model and the files it reads. */
export interface RawInput extends RawListing {
  readonly model: RawModel;
}

/** Raw files whose columns are known and good. */
export interface RawParts extends TypedRaw {
  readonly byModel: ReadonlyMap<string, readonly RawPart[]>;
  /** Which columns they have. */
  readonly columns: readonly RawColumns[];
  /** Files of this machine that are read instead of some of them. */
  readonly copies: readonly string[];
  /**
   * Reads every raw file by itself, after a scan has failed.
   * @throws PipelineError RAW_FILE_UNREADABLE that names those at fault; returns if none is.
   */
  explainFault(): Promise<void>;
}

/** What raw files hold where it was read and typed before, and may be read many times. */
export interface TypedRaw {
  /** What the SELECT of a raw model gives, by functions; undefined where nobody has made it. */
  typed(functions: string, select: string): TypedFile | undefined;
}

/** A Parquet file with what the SELECT of a raw model gives, audited. */
export interface TypedFile {
  readonly file: string;
  readonly audits: readonly AuditResult[];
}
