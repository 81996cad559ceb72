import * as z from "zod";
import { isObject } from "../base/json.js";
import { printable } from "../base/words.js";
import { damaged } from "../consumption/consumption.js";
import type { PublishResult } from "../consumption/publish-transaction.js";
import type { PipelineRunsTable } from "../consumption/schema.js";
import type { Row } from "../engine/builder.js";
import type { IgnoredFiles, SameBytes } from "../raw/file-notices.js";
import type { RawShape } from "../raw/raw-file.js";
import { CERTAINTY_WORDS } from "../voucher/certainty.js";
import { isoOfKey } from "../voucher/execution-date.js";
import { SEGMENT_KINDS } from "../voucher/segment-kinds.js";
import { STAGES, type Stage } from "./stages.js";

/*
 * The schema of the record of a run: the contract between a run and everyone who tells of it. What an earlier version of the pipeline
 * did not write has a default, so that its records are read for ever.
 */

const whole = z.number().int().nonnegative();
const texts = z.array(z.string());
const row = z.custom<Row>(isObject);

const inputFile = z.object({
  path: z.string(),
  bytes: whole,
  /** Its ETag, or the time of its last change. */
  version: z.string(),
  /** Of a file whose version does not tell its content. */
  sha256: z.string().exactOptional(),
});

const outputTable = z.object({
  model: z.string(),
  /** The path of the partition in the zone: its one file, or the manifest that names its files. */
  uri: z.string(),
  /** How many files it has. Earlier versions wrote one each. */
  files: whole.default(1),
  rows: whole,
  bytes: whole,
  /** Of its one file, or of the manifest. */
  sha256: z.string(),
});

const restingTable = outputTable.pick({ model: true, uri: true, sha256: true });

/** How many rows may break a promise: a number of them, or a share from 0 to 1. */
const threshold = z.object({ rows: whole.optional(), share: z.number().optional() });

const auditResult = z.object({
  model: z.string(),
  audit: z.string(),
  promise: z.string().default(""),
  severity: z.enum(["error", "warn"]).default("error"),
  /** `warned` and `failed`, if more rows break the promise than may, by the severity. */
  outcome: z.enum(["passed", "warned", "failed"]),
  /** How many rows break the promise. */
  broken: whole.default(0),
  /** How many may. */
  threshold: threshold.default({}),
  /** The first of those that break it. */
  rows: z.array(row).default([]),
});

const answer = z.object({
  voucher_amount: z.number(),
  assignments: whole,
  segment_assignments: whole,
  /** The chance that the amount would win again; null in SQL that is older than this. */
  certainty: z.number().nullable().default(null),
  certainty_word: z.enum(CERTAINTY_WORDS).nullable().default(null),
});

const place = z.object({
  country_code: z.string(),
  segment_kind: z.enum(SEGMENT_KINDS),
  segment: z.string(),
});

const placedAnswer = place.extend(answer.shape);

const changedAnswer = place.extend({
  /** Null if there was none. */
  before: answer.nullable(),
  /** Null if there is none any more. */
  after: answer.nullable(),
});

const answersDiff = z.object({
  /** The execution date of the publication that is compared with; null if there is none before. */
  before: z.string().nullable(),
  after: z.string(),
  /** How many answers the later one has. */
  answers: whole,
  /** How many differ. */
  count: whole,
  /** How many of these the later one has no longer. */
  gone: whole.default(0),
  /** Those that differ, or the first of them. */
  changes: z.array(changedAnswer),
});

/** What the answers were held to before they were published. */
const gateResult = answersDiff.extend({
  max_changed: whole,
  /** Whether answers that are toss-ups did not count. */
  ignored_toss_ups: z.boolean().default(false),
  /** How many of those that differ counted. */
  counted: whole.nullable().default(null),
  outcome: z.enum(["passed", "approved", "stopped"]),
});

/** What a publish does to the answers, and how certain they are. */
const answersReport = z.object({
  changed: answersDiff,
  /** How many answers are sure, likely and toss-ups; null if that is not known. */
  certainty: z.record(z.enum(CERTAINTY_WORDS), whole).nullable().default(null),
  /** Those that are not sure, the least certain first, or the first of them. */
  least_certain: z.array(placedAnswer).default([]),
  /** Those with the most vouchers. */
  largest: z.array(placedAnswer).default([]),
});

/** The columns of some raw files of a raw model. */
const rawColumns = z.object({
  model: z.string(),
  format: z.enum(["csv", "parquet"]),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  files: whole,
  first: z.string(),
}) satisfies z.ZodType<RawShape>;

/** A column of raw files that is not as the last run found it. */
const columnDrift = z.object({
  model: z.string(),
  column: z.string(),
  /** `new` if no file had it, `gone` if no file has it any more, `retyped` if files have it in a type that none had. */
  change: z.enum(["new", "gone", "retyped"]),
  /** The types that it had, and has, over all files. */
  types_before: texts,
  types: texts,
  /** How many files have it in a type that none had, and the first of them; of one that is gone there is none. */
  files: whole,
  first: z.string().nullable(),
});

const ignoredFiles = z.object({
  count: whole,
  first: z.array(z.object({ path: z.string(), remedy: z.string() })),
}) satisfies z.ZodType<IgnoredFiles>;

const sameBytes = z.object({ paths: texts }) satisfies z.ZodType<SameBytes>;

const publishResult = z.object({
  tables: z.array(z.object({ table: z.string(), rows: whole, upserted: whole, removed: whole })),
  isNew: z.boolean(),
  withdrawn: z
    .object({ withdrawn_at: z.string(), withdrawn_by: z.string(), why: z.string() })
    .nullable()
    .default(null),
  newest: z.string().nullable(),
}) satisfies z.ZodType<PublishResult>;

/** How long a step took. Steps that are under way side by side each have their whole time. */
const stepTime = z.object({ step: z.string(), seconds: z.number() });

/** What somebody is told of runs without asking. */
const notice = z.enum(["failure", "recovery", "changes"]);

/** The report of a run for people: a path, or a URL on S3. */
const reportAddresses = z.object({ html: z.string(), markdown: z.string() });

/** What a run is, known before it begins. */
const identity = z.object({
  run_id: z.string(),
  execution_date: z.string(),
  stages: z.array(z.enum(STAGES)),
  sql_version: z.string(),
  /** SHA-256 over all files of the SQL version. */
  sql_hash: z.string(),
  max_rejected_share: z.string().default(""),
  /** The trace that the run is part of, if the environment names one. */
  trace_id: z.string().exactOptional(),
});

/** What a run finds out on its way. */
const findings = z.object({
  engine: z.string().nullable().default(null),
  /** SHA-256 over everything that the engine was told: functions, models, audits. */
  rendered_sql_hash: z.string().nullable().default(null),
  inputs: z.array(inputFile).default([]),
  /** Files of the raw zone that were not read because of their names. */
  ignored_files: ignoredFiles.default({ count: 0, first: [] }),
  /** Raw files that hold the same bytes; the rows of all of them count. */
  same_bytes: z.array(sameBytes).default([]),
  /** Which columns the raw files have. */
  raw_columns: z.array(rawColumns).default([]),
  /** Which columns of the raw files are not as the last run that succeeded has found them. */
  drift: z.array(columnDrift).default([]),
  /** What was read that a run had left before. */
  at_rest: z.array(restingTable).default([]),
  /** The rows of each measure, by its name: `measures.row_accounting`. */
  measures: z.record(z.string(), z.array(row)).default({}),
  tables: z.array(outputTable).default([]),
  audits: z.array(auditResult).default([]),
  published: publishResult.nullable().default(null),
  /** What the publish does to the answers; null if none was prepared. */
  answers: answersReport.nullable().default(null),
  /** What the answers were held to before they were published; null if there was no gate. */
  gate: gateResult.nullable().default(null),
  /** How long its steps took. */
  steps: z.array(stepTime).default([]),
  /** Null if there is none. */
  run_report: reportAddresses.nullable().default(null),
  /** What the address of `--notify` knows of it: told by this run or, of a fault, by an earlier one that failed in the same way. */
  notified: z.array(notice).default([]),
  warnings: texts.default([]),
  seconds: z.number().nonnegative().default(0),
});

const runReport = identity.extend(findings.shape);

type Immutable<Value> = [Row] extends [Value]
  ? Value
  : Value extends readonly (infer Item)[]
    ? readonly Immutable<Item>[]
    : Value extends object
      ? { readonly [Key in keyof Value]: Immutable<Value[Key]> }
      : Value;

type Of<Schema extends z.ZodType> = Immutable<z.output<Schema>>;

/**
 * Everything a run can say of itself. It is what `--json` prints, and the record of the run, also of one that has failed:
 * there with what was known by then.
 */
export type RunReport = Of<typeof runReport>;
export type RunIdentity = Of<typeof identity>;
export type RunFindings = Of<typeof findings>;
/** A raw file that a run read. */
export type InputFile = Of<typeof inputFile>;
/** A partition that a run wrote. */
export type OutputTable = Of<typeof outputTable>;
/** A partition that a run read as another had left it. */
export type RestingTable = Of<typeof restingTable>;
/** How an audit of a model ended. */
export type AuditResult = Of<typeof auditResult>;
/** The answers that differ between two publications. */
export type AnswersDiff = Of<typeof answersDiff>;
/** An answer that is another one, by country and segment. */
export type ChangedAnswer = Of<typeof changedAnswer>;
/** What is told of an answer. */
export type ToldAnswer = Of<typeof answer>;
/** An answer with its country and segment. */
export type PlacedAnswer = Of<typeof placedAnswer>;
export type AnswersReport = Of<typeof answersReport>;
export type RawColumns = Of<typeof rawColumns>;
export type ColumnDrift = Of<typeof columnDrift>;
export type StepTime = Of<typeof stepTime>;
export type Notice = Of<typeof notice>;
export type ReportAddresses = Of<typeof reportAddresses>;

/** What a record has of what the run did not come to. */
export const NOTHING_YET: RunFindings = findings.parse({});

/** The row of a run, or as much of it as tells what the run is. */
export type RecordedRun = Pick<
  PipelineRunsTable,
  "run_id" | "execution_date" | "stages" | "sql_version" | "sql_hash" | "record"
>;

/**
 * Reads the record of a run, to tell of it. What cannot be read of it is left out, and a warning of the report says so: a record can have
 * been changed by hand, or have been written by a later version.
 * @returns null if the run ended before anything of it was recorded.
 */
export function reportOf(run: RecordedRun): RunReport | null {
  const { report, damage } = read(run);
  if (report === null || damage === undefined) return report;
  return { ...report, warnings: [...report.warnings, `the record of the run ${damage}`] };
}

/**
 * Reads the record of a run, to decide by it.
 * @returns null if the run ended before anything of it was recorded.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if anything of it cannot be read.
 */
export function trustedReportOf(run: RecordedRun): RunReport | null {
  const { report, damage } = read(run);
  if (damage !== undefined) throw damaged(`a record of the run ${printable(run.run_id)} that ${damage}`);
  return report;
}

/** What a record tells, and what is wrong with it, as the end of a sentence. Which run it is of, its row says. */
function read(run: RecordedRun): { readonly report: RunReport | null; readonly damage: string | undefined } {
  if (run.record === null) return { report: null, damage: undefined };
  const empty = emptyReport(run);
  const stored = parsed(run.record);
  if (stored === undefined) return { report: empty, damage: "is not readable" };
  const { run_id = run.run_id, ...told } = upgraded(stored);
  const isOfAnother = run_id === run.run_id ? undefined : "belongs to another run: somebody changed it";
  const report = runReport.safeParse({ ...empty, ...told });
  if (report.success) return { report: report.data, damage: isOfAnother };
  const faulty = new Set(report.error.issues.map(({ path: [field] }) => String(field)));
  const readable = Object.entries(told).filter(([field]) => !faulty.has(field));
  return {
    report: runReport.parse({ ...empty, ...Object.fromEntries(readable) }),
    damage: isOfAnother ?? `has unreadable values in ${[...faulty].join(", ")}`,
  };
}

/** What is known of a run by its row alone. */
export function emptyReport(run: Omit<RecordedRun, "record">): RunReport {
  const { run_id, execution_date, stages, sql_version, sql_hash } = run;
  return {
    ...NOTHING_YET,
    max_rejected_share: "",
    run_id,
    execution_date: isoOfKey(execution_date),
    stages: stages.split(",").filter(isStage),
    sql_version,
    sql_hash,
  };
}

function isStage(text: string): text is Stage {
  return (STAGES as readonly string[]).includes(text);
}

function parsed(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Earlier versions kept every change of the answers, and did not count them. */
function upgraded(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { answers, gate } = record;
  return {
    ...record,
    ...(isObject(answers) ? { answers: { ...answers, changed: withCount(answers["changed"]) } } : {}),
    ...(isObject(gate) ? { gate: withCount(gate) } : {}),
  };
}

function withCount(diff: unknown): unknown {
  if (!isObject(diff) || diff["count"] !== undefined || !Array.isArray(diff["changes"])) return diff;
  return { ...diff, count: diff["changes"].length };
}
