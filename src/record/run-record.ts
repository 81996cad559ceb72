import * as z from "zod";
import { isObject } from "../base/json.js";
import { printable } from "../base/words.js";
import { damaged } from "../consumption/consumption.js";
import type { PublishResult } from "../consumption/publish-transaction.js";
import type { PipelineRunsTable } from "../consumption/schema.js";
import type { Row } from "../engine/builder.js";
import type { IgnoredFiles, OffCluster, SameBytes } from "../raw/file-notices.js";
import type { RawShape } from "../raw/raw-file.js";
import { CERTAINTY_WORDS } from "../voucher/certainty.js";
import { isoOfKey } from "../voucher/execution-date.js";
import { SEGMENT_KINDS } from "../voucher/segment-kinds.js";
import { STAGES, type Stage } from "./stages.js";

/*
 * The schema of the record of a run: the contract between a run and all its reports. A field that an earlier version
 * did not write has a default, so that its records stay readable forever.
 */

const whole = z.number().int().nonnegative();
const texts = z.array(z.string());
const row = z.custom<Row>(isObject);

const inputFile = z.object({
  path: z.string(),
  bytes: whole,
  /** Its ETag, or the time of its last change. */
  version: z.string(),
  /** The hash of a file whose version does not come from its content. */
  sha256: z.string().exactOptional(),
});

const outputTable = z.object({
  model: z.string(),
  /** The path of the partition in the zone: its one file, or the manifest that lists its files. */
  uri: z.string(),
  /** The number of files. Earlier versions wrote one each. */
  files: whole.default(1),
  rows: whole,
  bytes: whole,
  /** The hash of its one file, or of the manifest. */
  sha256: z.string(),
});

const restingTable = outputTable.pick({ model: true, uri: true, sha256: true });

/** The number or the share (0 to 1) of rows that may break a promise. */
const threshold = z.object({ rows: whole.optional(), share: z.number().optional() });

const auditResult = z.object({
  model: z.string(),
  audit: z.string(),
  promise: z.string().default(""),
  severity: z.enum(["error", "warn"]).default("error"),
  /** `warned` or `failed`, by the severity, if more rows break the promise than allowed. */
  outcome: z.enum(["passed", "warned", "failed"]),
  /** The number of rows that break the promise. */
  broken: whole.default(0),
  /** The allowed number. */
  threshold: threshold.default({}),
  /** The first rows that break it, if more do than allowed. */
  rows: z.array(row).default([]),
});

const answer = z.object({
  voucher_amount: z.number(),
  assignments: whole,
  segment_assignments: whole,
  /** The chance that the amount would win again; null if the SQL is older than this field. */
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
  /** Null if the answer no longer exists. */
  after: answer.nullable(),
});

const answersDiff = z.object({
  /** The execution date of the earlier publication; null if there is none. */
  before: z.string().nullable(),
  after: z.string(),
  /** The number of answers of the later publication. */
  answers: whole,
  /** The number of different answers. */
  count: whole,
  /** The number of these answers that the later publication does not have. */
  gone: whole.default(0),
  /** The different answers, or the first of them. */
  changes: z.array(changedAnswer),
});

/** The limit that the gate applied to the answers before the publish. */
const gateResult = answersDiff.extend({
  max_changed: whole,
  /** Whether toss-ups did not count. */
  ignored_toss_ups: z.boolean().default(false),
  /** The number of different answers that counted. */
  counted: whole.nullable().default(null),
  outcome: z.enum(["passed", "approved", "stopped"]),
});

/** The effect of a publish on the answers, and their certainty. */
const answersReport = z.object({
  changed: answersDiff,
  /** The number of answers that are sure, likely and toss-ups; null if it is unknown. */
  certainty: z.record(z.enum(CERTAINTY_WORDS), whole).nullable().default(null),
  /** The answers that are not sure, the least certain first, or the first of them. */
  least_certain: z.array(placedAnswer).default([]),
  /** The answers with the most vouchers. */
  largest: z.array(placedAnswer).default([]),
});

/** How the SQL of a run differs from the SQL of the publication before it. */
const sqlChange = z.object({
  /** The execution date of that publication. */
  before: z.string(),
  version_before: z.string(),
  version: z.string(),
  /** By their paths below the folder of the version; null if the database does not have the earlier ones. */
  files: z.array(z.object({ file: z.string(), change: z.enum(["changed", "new", "gone"]) })).nullable(),
});

/** The columns of some raw files of a raw model. */
const rawColumns = z.object({
  model: z.string(),
  format: z.enum(["csv", "parquet"]),
  columns: z.array(z.object({ name: z.string(), type: z.string() })),
  files: whole,
  first: z.string(),
}) satisfies z.ZodType<RawShape>;

/** A column of raw files that has changed since the last run. */
const columnDrift = z.object({
  model: z.string(),
  column: z.string(),
  /** `new` if no file had it, `gone` if no file has it now, `retyped` if files have it with a new type. */
  change: z.enum(["new", "gone", "retyped"]),
  /** The types before and now, over all files. */
  types_before: texts,
  types: texts,
  /** The number of files with the new type, and the first of them; a column that is gone has none. */
  files: whole,
  first: z.string().nullable(),
});

const ignoredFiles = z.object({
  count: whole,
  first: z.array(z.object({ path: z.string(), remedy: z.string() })),
}) satisfies z.ZodType<IgnoredFiles>;

const sameBytes = z.object({ paths: texts }) satisfies z.ZodType<SameBytes>;

const offCluster = z.object({
  reason: z.string(),
  files: whole,
  bytes: whole,
  first: z.string(),
}) satisfies z.ZodType<OffCluster>;

const publishResult = z.object({
  tables: z.array(z.object({ table: z.string(), rows: whole, upserted: whole, removed: whole })),
  isNew: z.boolean(),
  withdrawn: z
    .object({ withdrawn_at: z.string(), withdrawn_by: z.string(), why: z.string() })
    .nullable()
    .default(null),
  newest: z.string().nullable(),
}) satisfies z.ZodType<PublishResult>;

/** The duration of a step. Parallel steps each have their full duration. */
const stepTime = z.object({ step: z.string(), seconds: z.number() });

/** The reasons for which a run sends a message. */
const notice = z.enum(["failure", "recovery", "changes"]);

/** The report of a run for people: a path, or a URL on S3. */
const reportAddresses = z.object({ html: z.string(), markdown: z.string() });

/** The identity of a run, known before it begins. */
const identity = z.object({
  run_id: z.string(),
  execution_date: z.string(),
  stages: z.array(z.enum(STAGES)),
  sql_version: z.string(),
  /** SHA-256 over all files of the SQL version. */
  sql_hash: z.string(),
  max_rejected_share: z.string().default(""),
  /** The trace of the run, if the environment names one. */
  trace_id: z.string().exactOptional(),
});

/** The findings of a run. */
const findings = z.object({
  engine: z.string().nullable().default(null),
  /** SHA-256 over all texts that the engine received: functions, models, audits. */
  rendered_sql_hash: z.string().nullable().default(null),
  inputs: z.array(inputFile).default([]),
  /** Files of the raw zone that the run ignored because of their names. */
  ignored_files: ignoredFiles.default({ count: 0, first: [] }),
  /** Raw files with the same bytes; the rows of all of them count. */
  same_bytes: z.array(sameBytes).default([]),
  /** Raw files that DuckDB read although there was a cluster, by reason. */
  off_cluster: z.array(offCluster).default([]),
  /** The columns of the raw files. */
  raw_columns: z.array(rawColumns).default([]),
  /** The columns of the raw files that have changed since the last successful run. */
  drift: z.array(columnDrift).default([]),
  /** The partitions of earlier runs that this run read. */
  at_rest: z.array(restingTable).default([]),
  /** The rows of each measure, by its name: `measures.row_accounting`. */
  measures: z.record(z.string(), z.array(row)).default({}),
  tables: z.array(outputTable).default([]),
  /** The columns that the run added to tables of the database. */
  new_columns: z.array(z.object({ table: z.string(), columns: texts })).default([]),
  audits: z.array(auditResult).default([]),
  published: publishResult.nullable().default(null),
  /** The effect of the publish on the answers; null if none was prepared. */
  answers: answersReport.nullable().default(null),
  /** The limit for the answers and its result; null if there was no gate. */
  gate: gateResult.nullable().default(null),
  /** The difference between its SQL and that of the previous publication; null if there is none. */
  sql_change: sqlChange.nullable().default(null),
  /** The durations of its steps. */
  steps: z.array(stepTime).default([]),
  /** Null if there is none. */
  run_report: reportAddresses.nullable().default(null),
  /**
   * The reasons that the address of `--notify` has received: from this run or, for a failure, from an earlier run
   * with the same failure.
   */
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
 * All facts that a run knows about itself. `--json` prints it, and the record of the run stores it. A failed run has
 * the facts from before the failure.
 */
export type RunReport = Of<typeof runReport>;
export type RunIdentity = Of<typeof identity>;
export type RunFindings = Of<typeof findings>;
/** A raw file that a run read. */
export type InputFile = Of<typeof inputFile>;
/** A partition that a run wrote. */
export type OutputTable = Of<typeof outputTable>;
/** A partition of an earlier run that a run read. */
export type RestingTable = Of<typeof restingTable>;
/** The result of an audit of a model. */
export type AuditResult = Of<typeof auditResult>;
/** The answers that differ between two publications. */
export type AnswersDiff = Of<typeof answersDiff>;
/** A changed answer, by country and segment. */
export type ChangedAnswer = Of<typeof changedAnswer>;
/** An answer in a report. */
export type ToldAnswer = Of<typeof answer>;
/** An answer with its country and segment. */
export type PlacedAnswer = Of<typeof placedAnswer>;
export type AnswersReport = Of<typeof answersReport>;
export type SqlChange = Of<typeof sqlChange>;
export type RawColumns = Of<typeof rawColumns>;
export type ColumnDrift = Of<typeof columnDrift>;
export type StepTime = Of<typeof stepTime>;
export type Notice = Of<typeof notice>;
export type ReportAddresses = Of<typeof reportAddresses>;

/** The findings of a run that has not found anything yet. */
export const NOTHING_YET: RunFindings = findings.parse({});

/** The row of a run, or enough of it to identify the run. */
export type RecordedRun = Pick<
  PipelineRunsTable,
  "run_id" | "execution_date" | "stages" | "sql_version" | "sql_hash" | "record"
>;

/**
 * Reads the record of a run for a report. It leaves out unreadable fields, and adds a warning about them: somebody
 * may have changed a record by hand, or a later version may have written it.
 * @returns null if the run ended before it recorded anything.
 */
export function reportOf(run: RecordedRun): RunReport | null {
  const { report, damage } = read(run);
  if (report === null || damage === undefined) return report;
  return { ...report, warnings: [...report.warnings, `the record of the run ${damage}`] };
}

/**
 * Reads the record of a run for a decision.
 * @returns null if the run ended before it recorded anything.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if any field is not readable.
 */
export function trustedReportOf(run: RecordedRun): RunReport | null {
  const { report, damage } = read(run);
  if (damage !== undefined) throw damaged(`a record of the run ${printable(run.run_id)} that ${damage}`);
  return report;
}

/** The contents of a record, and its faults, as the end of a sentence. The row names the run. */
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

/** The facts about a run from its row alone. */
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

/** Earlier versions stored every change of the answers, without a count. */
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
