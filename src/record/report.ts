import type { PublishResult } from "../consumption/publish.js";
import type { Row } from "../engine/engine.js";
import type { Severity, Threshold } from "../models/header.js";
import type { IgnoredFiles, SameBytes } from "../raw/notices.js";
import type { StepTime } from "../run/activity.js";
import type { AnswersReport } from "../run/answers.js";
import type { ColumnDrift, RawColumns } from "../run/drift.js";
import type { GateResult } from "../run/gate.js";

/** The parts of a run, in their order. Each can run alone, and reads what the one before left at rest. */
export const STAGES = ["curate", "aggregate", "publish"] as const;
export type Stage = (typeof STAGES)[number];

/** A raw file that a run read. */
export interface InputFile {
  readonly path: string;
  readonly bytes: number;
  /** Its ETag, or the time of its last change. */
  readonly version: string;
  /** Of a file whose version does not tell its content. */
  readonly sha256?: string;
}

/** A partition that a run wrote. */
export interface OutputTable {
  readonly model: string;
  /** Where the partition is, in the zone: its one file, or the manifest that names its files. */
  readonly uri: string;
  /** How many files it has. */
  readonly files: number;
  readonly rows: number;
  readonly bytes: number;
  /** Of its one file, or of the manifest. */
  readonly sha256: string;
}

/** A partition that a run read as another had left it. */
export type RestingTable = Pick<OutputTable, "model" | "uri" | "sha256">;

/** How an audit of a model ended. */
export interface AuditResult {
  readonly model: string;
  readonly audit: string;
  readonly promise: string;
  readonly severity: Severity;
  /** `warned` and `failed`, where more rows break the promise than may, by the severity. */
  readonly outcome: "passed" | "warned" | "failed";
  /** How many rows break the promise. */
  readonly broken: number;
  /** How many may. */
  readonly threshold: Threshold;
  /** The first of those that break it. */
  readonly rows: readonly Row[];
}

/** Where the report of a run for people is: a path, or a URL on S3. */
export interface RunReportAddresses {
  readonly html: string;
  readonly markdown: string;
}

/** What somebody is told of runs without asking. */
export type Notice = "failure" | "recovery" | "changes";

/**
 * Everything a run can say of itself. It is what `--json` prints, and the record of the run, also of one that has failed:
 * there with what was known by then.
 */
export interface RunReport {
  readonly run_id: string;
  readonly execution_date: string;
  readonly stages: readonly Stage[];
  readonly sql_version: string;
  /** SHA-256 over all files of the SQL version. */
  readonly sql_hash: string;
  readonly max_rejected_share: string;
  readonly engine: string | null;
  /** SHA-256 over everything that the engine was told: functions, models, audits. */
  readonly rendered_sql_hash: string | null;
  readonly inputs: readonly InputFile[];
  /** Files of the raw zone that were not read because of their names. */
  readonly ignored_files: IgnoredFiles;
  /** Raw files that hold the same bytes; the rows of all of them count. */
  readonly same_bytes: readonly SameBytes[];
  /** Which columns the raw files have. */
  readonly raw_columns: readonly RawColumns[];
  /** Which columns of the raw files are not as the last run that succeeded has found them. */
  readonly drift: readonly ColumnDrift[];
  /** What was read that a run had left before. */
  readonly at_rest: readonly RestingTable[];
  /** The rows of each measure, by its name: `measures.row_accounting`. */
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  readonly tables: readonly OutputTable[];
  readonly audits: readonly AuditResult[];
  readonly published: PublishResult | null;
  /** What the publish does to the answers; null where none was prepared. */
  readonly answers: AnswersReport | null;
  /** What the answers were held against before they were published, where there was a gate. */
  readonly gate: GateResult | null;
  /** How long its steps took. */
  readonly steps: readonly StepTime[];
  /** Where the report for people is; null where there is none. */
  readonly run_report: RunReportAddresses | null;
  /** What the address of `--notify` knows of it: told by this run or, of a fault, by an earlier one that failed in the same way. */
  readonly notified: readonly Notice[];
  readonly warnings: readonly string[];
  readonly seconds: number;
}
