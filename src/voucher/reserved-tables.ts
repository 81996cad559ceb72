/** The pipeline's own tables of the consumption database, without those of the migrations. */
export const OWN_TABLES = [
  "published_rows",
  "publications",
  "withdrawals",
  "pipeline_runs",
  "run_order",
  "sql_versions",
  "backfills",
  "publish_lock",
] as const;
export type OwnTable = (typeof OWN_TABLES)[number];

/** Tables that Kysely or SQLite creates. */
const OF_OTHERS = /^(kysely_migration(_lock)?|sqlite_.*)$/;

/** Whether no model can publish a table with this name, because the database has its own table with it. */
export function isReservedTable(name: string): boolean {
  const table = name.toLowerCase();
  return OWN_TABLES.some((own) => own === table) || OF_OTHERS.test(table);
}
