import { setTimeout as sleep } from "node:timers/promises";
import { DEFAULT_MIGRATION_TABLE, Migrator, sql, type Kysely, type Migration } from "kysely";
import { cancelled, messageOf, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { translatingErrors, type Consumption, type Dialect } from "./consumption.js";

const LOCK_NAME = "migration";
const LOCK_POLL_MILLISECONDS = 50;
const LOCK_WAIT_MILLISECONDS = 30_000;

/**
 * Updates the pipeline's own tables. Safe to repeat, and safe from many processes at once.
 * @param signal cancels the wait for another process that does the same.
 */
export async function migrate(consumption: Consumption, signal?: AbortSignal): Promise<void> {
  const deadline = Date.now() + LOCK_WAIT_MILLISECONDS;
  while (Date.now() < deadline) {
    if (signal?.aborted === true) throw cancelled(signal);
    const done = await consumption.tryLocked(LOCK_NAME, () => {
      failpoint("migration begun");
      return migrateToLatest(consumption);
    });
    if (done !== undefined) return;
    await sleep(LOCK_POLL_MILLISECONDS);
  }
  throw new PipelineError(
    "CONSUMPTION_UNAVAILABLE",
    `another process is migrating the ${consumption.name}; run again`,
  );
}

/**
 * The names of the pending migrations of a database, in their order. It changes nothing.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if the database has a migration that is unknown here.
 */
export function pendingMigrations(consumption: Consumption): Promise<string[]> {
  const { db, dialect, name } = consumption;
  return translatingErrors(dialect, async () => {
    const known = await migratorOf(consumption).getMigrations();
    const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
    const had = tables.some((table) => table.name === DEFAULT_MIGRATION_TABLE)
      ? await sql<{ name: string }>`SELECT name FROM ${sql.table(DEFAULT_MIGRATION_TABLE)}`.execute(db)
      : { rows: [] };
    const unknown = had.rows.find((one) => !known.some((migration) => migration.name === one.name));
    if (unknown !== undefined) throw notUpToDate(name, `it has had ${unknown.name}`);
    return known.filter(({ executedAt }) => executedAt === undefined).map((migration) => migration.name);
  });
}

function migratorOf({ db, dialect }: Consumption): Migrator {
  return new Migrator({ db, provider: { getMigrations: () => Promise.resolve(migrationsOf(dialect)) } });
}

async function migrateToLatest(consumption: Consumption): Promise<void> {
  const { dialect, name } = consumption;
  const { error } = await migratorOf(consumption).migrateToLatest();
  if (error === undefined) return;
  const fault = dialect.translateError(error);
  if (fault !== error) throw fault;
  throw notUpToDate(name, messageOf(error), error);
}

function notUpToDate(name: string, why: string, cause?: unknown): PipelineError {
  return new PipelineError(
    "CONSUMPTION_NOT_USABLE",
    `the ${name} cannot be migrated: ${why}. Check whether a newer version of the pipeline created it`,
    { cause },
  );
}

/** In the order of their names. A migration never changes once it has run anywhere: a change is a new migration. */
function migrationsOf({ longText, tableOptions }: Dialect): Record<string, Migration> {
  return {
    "0001_publications_and_runs": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("publications")
          .ifNotExists()
          .addColumn("execution_date", "varchar(17)", (column) => column.primaryKey())
          .addColumn("run_id", "varchar(64)", (column) => column.notNull())
          .addColumn("sql_version", "varchar(16)", (column) => column.notNull())
          .addColumn("sql_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("data_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("row_counts", longText, (column) => column.notNull())
          .addColumn("published_at", "varchar(24)", (column) => column.notNull())
          .modifyEnd(tableOptions)
          .execute();
        failpoint("publications: table made");
        await db.schema
          .createTable("pipeline_runs")
          .ifNotExists()
          .addColumn("run_id", "varchar(64)", (column) => column.primaryKey())
          .addColumn("execution_date", "varchar(17)", (column) => column.notNull())
          .addColumn("stages", "varchar(64)", (column) => column.notNull())
          .addColumn("outcome", "varchar(16)", (column) => column.notNull())
          .addColumn("started_at", "varchar(24)", (column) => column.notNull())
          .addColumn("ended_at", "varchar(24)")
          .addColumn("started_by", "varchar(255)", (column) => column.notNull())
          .addColumn("sql_version", "varchar(16)", (column) => column.notNull())
          .addColumn("sql_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("error_code", "varchar(64)")
          .addColumn("error_message", longText)
          .addColumn("record", longText)
          .modifyEnd(tableOptions)
          .execute();
        failpoint("pipeline_runs: table made");
        await db.schema
          .createTable("publish_lock")
          .ifNotExists()
          .addColumn("id", "integer", (column) => column.primaryKey())
          .addColumn("publishes", "bigint", (column) => column.notNull())
          .modifyEnd(tableOptions)
          .execute();
        failpoint("publish_lock: table made");
      },
    },
    "0002_sql_versions": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("sql_versions")
          .ifNotExists()
          .addColumn("sql_hash", "varchar(64)", (column) => column.primaryKey())
          .addColumn("sql_version", "varchar(16)", (column) => column.notNull())
          .addColumn("files", longText, (column) => column.notNull())
          .modifyEnd(tableOptions)
          .execute();
        failpoint("sql_versions: table made");
      },
    },
    "0003_withdrawals": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("withdrawals")
          .ifNotExists()
          .addColumn("execution_date", "varchar(17)", (column) => column.notNull())
          .addColumn("withdrawn_at", "varchar(24)", (column) => column.notNull())
          .addColumn("withdrawn_by", "varchar(255)", (column) => column.notNull())
          .addColumn("why", longText, (column) => column.notNull())
          .addColumn("outcome", "varchar(16)", (column) => column.notNull())
          .addColumn("ended_at", "varchar(24)")
          .addColumn("ended_by", "varchar(255)")
          .addColumn("run_id", "varchar(64)", (column) => column.notNull())
          .addColumn("sql_version", "varchar(16)", (column) => column.notNull())
          .addColumn("sql_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("data_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("row_counts", longText, (column) => column.notNull())
          .addColumn("published_at", "varchar(24)", (column) => column.notNull())
          .addPrimaryKeyConstraint("withdrawals_key", ["execution_date", "withdrawn_at"] as never)
          .modifyEnd(tableOptions)
          .execute();
        failpoint("withdrawals: table made");
      },
    },
    "0004_backfills": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("backfills")
          .ifNotExists()
          .addColumn("backfill_id", "varchar(64)", (column) => column.primaryKey())
          .addColumn("first_date", "varchar(17)", (column) => column.notNull())
          .addColumn("last_date", "varchar(17)", (column) => column.notNull())
          .addColumn("selection", "varchar(16)", (column) => column.notNull())
          .addColumn("sql_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("execution_dates", longText, (column) => column.notNull())
          .addColumn("started_at", "varchar(24)", (column) => column.notNull())
          .addColumn("started_by", "varchar(255)", (column) => column.notNull())
          .addColumn("ended_at", "varchar(24)")
          .modifyEnd(tableOptions)
          .execute();
        failpoint("backfills: table made");
      },
    },
    "0005_run_order": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("run_order")
          .ifNotExists()
          .addColumn("sequence", "integer", (column) => column.primaryKey().autoIncrement())
          .addColumn("run_id", "varchar(64)", (column) => column.notNull())
          .addColumn("event", "varchar(8)", (column) => column.notNull())
          .addUniqueConstraint("run_order_key", ["run_id", "event"] as never)
          .modifyEnd(tableOptions)
          .execute();
        failpoint("run_order: table made");
        // Runs before this migration have no order. Only the clocks of their hosts order them.
        await sql`
          INSERT INTO run_order (run_id, event)
          SELECT known.id, known.event FROM (
            SELECT backfill_id AS id, 'began' AS event, started_at AS moment, 1 AS place FROM backfills
            UNION ALL SELECT run_id, 'began', started_at, 2 FROM pipeline_runs
            UNION ALL SELECT run_id, 'ended', ended_at, 3 FROM pipeline_runs WHERE ended_at IS NOT NULL
          ) AS known
          WHERE NOT EXISTS (
            SELECT 1 FROM run_order WHERE run_order.run_id = known.id AND run_order.event = known.event
          )
          ORDER BY known.moment, known.place, known.id`.execute(db);
        failpoint("run_order: earlier runs ordered");
      },
    },
    "0006_published_rows": {
      up: async (db: Kysely<unknown>) => {
        await db.schema
          .createTable("published_rows")
          .ifNotExists()
          .addColumn("execution_date", "varchar(17)", (column) => column.notNull())
          .addColumn("table_name", "varchar(64)", (column) => column.notNull())
          .addColumn("data_hash", "varchar(64)", (column) => column.notNull())
          .addColumn("row_count", "bigint", (column) => column.notNull())
          .addColumn("rows_hash", "varchar(64)", (column) => column.notNull())
          .addPrimaryKeyConstraint("published_rows_key", ["execution_date", "table_name"] as never)
          .modifyEnd(tableOptions)
          .execute();
        failpoint("published_rows: table made");
      },
    },
  };
}
