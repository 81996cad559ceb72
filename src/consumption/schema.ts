import type { Generated, Kysely } from "kysely";
import { OWN_TABLES, type OwnTable } from "../voucher/reserved-tables.js";

/** A value of a published row, as every database takes and gives it. */
export type PublishedValue = string | number | null;
export type PublishedRow = Record<string, PublishedValue>;

/** The tables that the models publish. The headers of the models define their columns; the compiler does not know them. */
export type PublishedTables = Record<string, PublishedRow>;

/** The publications that readers see: one row for each execution date that is published and not withdrawn. */
export interface PublicationsTable {
  execution_date: string;
  run_id: string;
  sql_version: string;
  sql_hash: string;
  /** SHA-256 over the provision files that were published. */
  data_hash: string;
  /** JSON: the rows of each published table. */
  row_counts: string;
  published_at: string;
}

/** The outcome of a withdrawal: it holds, was restored, or ended because other data was published for the date. */
export type WithdrawalOutcome = "withdrawn" | "restored" | "replaced";

/**
 * One row for each withdrawal of a publication. While it holds, the publication is in this table and not among the
 * publications, so their readers do not need this table.
 */
export interface WithdrawalsTable extends PublicationsTable {
  withdrawn_at: string;
  /** User, host and process id. */
  withdrawn_by: string;
  why: string;
  outcome: WithdrawalOutcome;
  ended_at: string | null;
  /** The person who restored it, or the id of the run that published other data. */
  ended_by: string | null;
}

/** The outcome of a run, or that it is still running. The next run of a date marks a run whose process died as killed. */
export const RUN_OUTCOMES = ["running", "succeeded", "failed", "cancelled", "killed"] as const;
export type RunOutcome = (typeof RUN_OUTCOMES)[number];

/** One row for each run there ever was. */
export interface PipelineRunsTable {
  run_id: string;
  execution_date: string;
  stages: string;
  outcome: RunOutcome;
  started_at: string;
  ended_at: string | null;
  /** User, host and process id. */
  started_by: string;
  sql_version: string;
  sql_hash: string;
  error_code: string | null;
  error_message: string | null;
  /** JSON: inputs, outputs with their hashes, measures, audits, timings. */
  record: string | null;
}

/** Something that happened to a run or to a backfill. */
export type RunEvent = "began" | "ended";

/**
 * The order in which runs and backfills began, and in which runs ended. The database counts, because the clocks of
 * hosts differ. A run without a row comes after all runs here: an older version recorded it. The next run of its date
 * adds it.
 */
export interface RunOrderTable {
  sequence: Generated<number>;
  /** The id of a run or of a backfill. */
  run_id: string;
  event: RunEvent;
}

/** Every SQL version that a run used, so that a replay works after the files have changed. */
export interface SqlVersionsTable {
  sql_hash: string;
  sql_version: string;
  /** JSON: the text of each file, by its path below the SQL folder. */
  files: string;
}

/** One row for each backfill: its request, so that it can resume. The runs record the result of each date. */
export interface BackfillsTable {
  backfill_id: string;
  first_date: string;
  last_date: string;
  /** The requested dates of the range, as the option names them. */
  selection: string;
  sql_hash: string;
  /** JSON: the partition keys of the execution dates to run, the earliest first. */
  execution_dates: string;
  started_at: string;
  started_by: string;
  /** The time at which the last of its dates succeeded. */
  ended_at: string | null;
}

/**
 * One row. Every transaction that changes publications writes it first. So they run one after another, and none reads
 * rows that another one is writing.
 */
export interface PublishLockTable {
  id: Generated<number>;
  publishes: number;
}

/** One row for each published table of an execution date: its rows after the last publish, to detect changes by others. */
export interface PublishedRowsTable {
  execution_date: string;
  table_name: string;
  /** The hash of the publication. */
  data_hash: string;
  row_count: number;
  /** SHA-256 over the rows, in the order of the key. */
  rows_hash: string;
}

interface TablesByName {
  published_rows: PublishedRowsTable;
  publications: PublicationsTable;
  withdrawals: WithdrawalsTable;
  pipeline_runs: PipelineRunsTable;
  run_order: RunOrderTable;
  sql_versions: SqlVersionsTable;
  backfills: BackfillsTable;
  publish_lock: PublishLockTable;
}

/** The compiler reports a table that is missing here, or among the names. */
export type ConsumptionTables = Pick<TablesByName, OwnTable>;

/** The tables of the pipeline itself, apart from those of the migrations. */
export const INTERNAL_TABLES: readonly string[] = OWN_TABLES;

export type ConsumptionDatabase = Kysely<ConsumptionTables>;
