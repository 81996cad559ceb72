import type { Generated, Kysely } from "kysely";
import { OWN_TABLES, type OwnTable } from "../voucher/reserved-tables.js";

/** A value of a published row, as every database takes and gives it. */
export type PublishedValue = string | number | null;
export type PublishedRow = Record<string, PublishedValue>;

/** The tables that the models publish. Their columns are known from the models' headers, not to the compiler. */
export type PublishedTables = Record<string, PublishedRow>;

/** What readers can see: one row for each execution date that is published, and not withdrawn. */
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

/** What became of a withdrawal: it holds, was taken back, or has come to an end because other data was published for the date. */
export type WithdrawalOutcome = "withdrawn" | "restored" | "replaced";

/**
 * One row for each time that a publication was taken back from readers. As long as that holds, the publication stands here and not
 * among the publications: who reads those need not know of it.
 */
export interface WithdrawalsTable extends PublicationsTable {
  withdrawn_at: string;
  /** User, host and process id. */
  withdrawn_by: string;
  why: string;
  outcome: WithdrawalOutcome;
  ended_at: string | null;
  /** Who has restored it, or the id of the run that has published other data. */
  ended_by: string | null;
}

/** How a run ended, or that it has not. A run whose process died is found as killed by the next one of its date. */
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
 * The order in which runs and backfills began, and in which runs ended. The database counts, because the clocks of hosts differ.
 * A run without a row was recorded by an older version, after all that are here; the next run of its date adds it.
 */
export interface RunOrderTable {
  sequence: Generated<number>;
  /** The id of a run or of a backfill. */
  run_id: string;
  event: RunEvent;
}

/** Every SQL by which a run was made, so that a run can be replayed when the files have changed. */
export interface SqlVersionsTable {
  sql_hash: string;
  sql_version: string;
  /** JSON: the text of each file, by its path below the SQL folder. */
  files: string;
}

/** One row for each backfill: what was asked for, so that it can continue where it stopped. What has become of each date the runs tell. */
export interface BackfillsTable {
  backfill_id: string;
  first_date: string;
  last_date: string;
  /** Which dates of the range were asked for, as the option says it. */
  selection: string;
  sql_hash: string;
  /** JSON: the partition keys of the execution dates that were found to be run, the earliest first. */
  execution_dates: string;
  started_at: string;
  started_by: string;
  /** When the last of its dates had been run, and well. */
  ended_at: string | null;
}

/** One row, written first by whatever changes what is published, so that these stand in line and never read what another is writing. */
export interface PublishLockTable {
  id: Generated<number>;
  publishes: number;
}

/** One row for each published table of an execution date: what it held after the last publish, to notice changes by others. */
export interface PublishedRowsTable {
  execution_date: string;
  table_name: string;
  /** That of the publication. */
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

/** The compiler finds a table that is missing here, or among the names. */
export type ConsumptionTables = Pick<TablesByName, OwnTable>;

/** The tables of the pipeline itself, apart from those of the migrations. */
export const INTERNAL_TABLES: readonly string[] = OWN_TABLES;

export type ConsumptionDatabase = Kysely<ConsumptionTables>;
