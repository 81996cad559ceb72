import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CompiledQuery, Kysely, MysqlDialect, sql, type RawBuilder } from "kysely";
import { createPool, type Pool, type TypeCastField } from "mysql2";
import { untilAborted } from "../base/concurrency.js";
import { PipelineError, systemCodeOf } from "../base/errors.js";
import {
  RUNS_IN_PROGRESS,
  translatingErrors,
  waitedInVain,
  type ColumnType,
  type Consumption,
  type DatabaseServer,
  type Dialect,
  type PublishedColumn,
  type PublishedTable,
  type RunInProgress,
  type TableFault,
} from "./consumption.js";
import { readMysqlUrl, type MysqlAddress } from "./mysql-address.js";
import {
  CANCELLED_MILLISECONDS,
  endSilentConnections,
  isContended,
  isLockHeld,
  isPassing,
  MysqlLock,
  prepareSession,
  Standstill,
  translateMysqlError,
} from "./mysql-connection.js";
import type { ConsumptionDatabase, ConsumptionTables } from "./schema.js";

/** The limits of a use of the database, and the patience with its server. */
interface Use {
  readonly connections: number;
  /** How many may wait for a connection. */
  readonly queueLimit: number;
  readonly connectMilliseconds: number;
  /** A server that says nothing for longer is taken for dead. */
  readonly silenceMilliseconds: number;
  /**
   * The server ends a connection that was silent for so long, and its transaction. So it ends the transaction of a
   * frozen process or a lost host. A healthy process sends a statement every few seconds within a transaction.
   * Undefined keeps the server's own limit.
   */
  readonly idleSeconds: number | undefined;
  /** How long to wait before each new try. A writer waits for longer than a frozen transaction can last. */
  readonly delaysMilliseconds: readonly number[];
}

/** A server that restarts is available again within seconds. A statement of a run can be long. */
const WRITING: Use = {
  connections: 2,
  queueLimit: 0,
  connectMilliseconds: 5_000,
  silenceMilliseconds: 30_000,
  idleSeconds: 60,
  delaysMilliseconds: [100, 400, 1_000, 2_000, 4_000],
};
/** Clients of the service do not wait for a server. One retry: an idle connection of the pool can be dead. */
const READING: Use = {
  connections: 10,
  // Clients that waited too long are gone when the server returns. They must not delay new clients much.
  queueLimit: 1_000,
  connectMilliseconds: 2_000,
  silenceMilliseconds: 2_000,
  idleSeconds: undefined,
  delaysMilliseconds: [0],
};
const MOST_ROWS_PER_STATEMENT = 1_000;
/** Far below the limits of servers: MariaDB 16 MiB and MySQL 64 MiB, unless `max_allowed_packet` sets another one. */
const STATEMENT_BYTES = 4 * 1024 * 1024;
const BYTES_PER_CODE_POINT = 4;
/** For a number or a moment, and for the characters around any value. */
const BYTES_PER_VALUE = 32;

/** MySQL and MariaDB have no collation in common that knows all of Unicode, compares bytes and minds blanks at the end. */
const COLLATIONS = { MySQL: "utf8mb4_0900_bin", MariaDB: "utf8mb4_nopad_bin" };
const OLDEST = { MySQL: "8.0", MariaDB: "10.11" };

/**
 * Opens the database to write it.
 * @param signal cancels the work that it is opened for.
 */
export function openMysql(url: string, signal?: AbortSignal): Promise<Consumption> {
  return open(readMysqlUrl(url), WRITING, signal);
}

/** Opens the database to read it. */
export function openMysqlForReading(url: string): Promise<Consumption> {
  return open(readMysqlUrl(url), READING);
}

async function open(address: MysqlAddress, use: Use, signal?: AbortSignal): Promise<Consumption> {
  const pool = openPool(address, use, signal);
  const db = new Kysely<ConsumptionTables>({
    dialect: new MysqlDialect({
      pool,
      onCreateConnection: (connection) =>
        prepareSession(
          async (statement) =>
            (await connection.executeQuery<Record<string, unknown>>(CompiledQuery.raw(statement))).rows,
          address.name,
          use.idleSeconds,
        ),
    }),
  });
  const standstill = new Standstill();
  try {
    const locks = new Set<MysqlLock>();
    const repeating = repeatingAfter(address, use, db, locks, standstill, signal);
    const { product } = await repeating(() => serverOf(db));
    const collation = COLLATIONS[product];
    const dialect = mysqlDialect(address.name, collation, repeating);
    return {
      db,
      dialect,
      name: address.name,
      tryLocked: async (lockName, use) => {
        const lock = new MysqlLock(address, lockName);
        const taking = translatingErrors(dialect, () => lock.take());
        if (!(await untilAborted(taking, signal, CANCELLED_MILLISECONDS))) return undefined;
        locks.add(lock);
        try {
          const renew = () =>
            untilAborted(
              translatingErrors(dialect, () => lock.renew()),
              signal,
              CANCELLED_MILLISECONDS,
            );
          return { result: await use({ assertHeld: renew }) };
        } finally {
          locks.delete(lock);
          await lock.release();
        }
      },
      isLocked: (lockName) => translatingErrors(dialect, () => isLockHeld(db, address.database, lockName)),
      isCurrent: () => Promise.resolve(true),
      close: async () => {
        standstill.end();
        await db.destroy();
      },
    };
  } catch (error) {
    standstill.end();
    await db.destroy();
    throw translateMysqlError(address.name, error);
  }
}

function openPool({ options }: MysqlAddress, use: Use, signal: AbortSignal | undefined): Pool {
  const pool = createPool({
    ...options,
    connectionLimit: use.connections,
    queueLimit: use.queueLimit,
    connectTimeout: use.connectMilliseconds,
    charset: "utf8mb4",
    enableKeepAlive: true,
    // Moments arrive as text, in the short form of DuckDB.
    dateStrings: true,
    typeCast: (field: TypeCastField, next: () => unknown) =>
      field.type === "DATETIME" ? shortest(field.string()) : next(),
  });
  endSilentConnections(pool, use.silenceMilliseconds, signal);
  return pool;
}

/** `2020-05-29 00:00:00.500000` as `2020-05-29 00:00:00.5`. */
function shortest(moment: string | null): string | null {
  return moment?.replace(/(\.[0-9]*?)0+$/, "$1").replace(/\.$/, "") ?? null;
}

async function serverOf(db: Kysely<ConsumptionTables>): Promise<DatabaseServer> {
  const { rows } = await sql<{
    version: string;
    now: string;
  }>`SELECT VERSION() AS version, UNIX_TIMESTAMP(NOW(3)) AS now`.execute(db);
  const { version = "", now = "" } = rows[0] ?? {};
  const product = version.includes("MariaDB") ? "MariaDB" : "MySQL";
  return { product, version, oldest: OLDEST[product], now: new Date(Number(now) * 1_000) };
}

function mysqlDialect(name: string, collation: string, repeating: Dialect["repeating"]): Dialect {
  return {
    columnType: columnTypeOf,
    longText: sql`longtext`,
    tableOptions: sql`ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE ${sql.raw(collation)}`,
    typeName: typeNameOf,
    columnTypes: async (db, table) => {
      const { rows } = await sql<{ name: string; type: string }>`
        SELECT column_name AS name, lower(column_type) AS type FROM information_schema.columns
        WHERE table_schema = DATABASE() AND table_name = ${table}
        ORDER BY ordinal_position`.execute(db);
      return new Map(rows.map(({ name, type }) => [name, type.replace(DISPLAY_WIDTH, "$1")]));
    },
    primaryKey: async (db, table) => {
      const { rows } = await sql<{ name: string }>`
        SELECT column_name AS name FROM information_schema.key_column_usage
        WHERE table_schema = DATABASE() AND table_name = ${table} AND constraint_name = 'PRIMARY'
        ORDER BY ordinal_position`.execute(db);
      return rows.map(({ name }) => name);
    },
    tableFaults: (db, tables) => tableFaults(db, collation, tables),
    integrityFaults: () => Promise.resolve([]),
    // MySQL would end the transaction, so another connection does it.
    renameTables: async ({ db }, names) => {
      const pairs = names.map(([from, to]) => sql`${sql.table(from)} TO ${sql.table(to)}`);
      await sql`RENAME TABLE ${sql.join(pairs)}`.execute(db);
    },
    rowsPerUpsert,
    upsert: (db, { name, key }, rows) => {
      const values = Object.keys(rows[0] ?? {}).filter((column) => !key.includes(column));
      const insert = db.insertInto(name).values(rows);
      return values.length === 0 ? insert.ignore() : insert.onDuplicateKeyUpdate(inserted(values));
    },
    begin: "START TRANSACTION",
    server: serverOf,
    tryToWrite,
    repeating,
    translateError: (error) => translateMysqlError(name, error),
  };
}

async function tableFaults(
  db: ConsumptionDatabase,
  collation: string,
  tables: readonly string[],
): Promise<TableFault[]> {
  if (tables.length === 0) return [];
  const { rows: engines } = await sql<{ name: string; engine: string | null }>`
    SELECT table_name AS name, engine AS engine FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_name IN (${sql.join(tables)}) ORDER BY table_name`.execute(db);
  const { rows: columns } = await sql<{ name: string; column: string; collation: string }>`
    SELECT table_name AS name, column_name AS \`column\`, collation_name AS collation FROM information_schema.columns
    WHERE table_schema = DATABASE() AND table_name IN (${sql.join(tables)})
      AND collation_name IS NOT NULL AND collation_name <> ${collation} ORDER BY table_name, ordinal_position`.execute(
    db,
  );
  return [
    ...engines
      .filter(({ engine }) => engine !== "InnoDB")
      .map(({ name, engine }) => ({ table: name, what: `engine ${engine ?? "none"} instead of InnoDB` })),
    ...columns.map(({ name, column, collation: found }) => ({
      table: name,
      what: `collation ${found} of the column ${column} instead of ${collation}`,
    })),
  ];
}

/** The number of rows whose longest texts fit into a statement. */
function rowsPerUpsert({ columns }: PublishedTable): number {
  const bytes = columns.map(({ type, maxLength }) =>
    type === "VARCHAR" ? maxLength * BYTES_PER_CODE_POINT + BYTES_PER_VALUE : BYTES_PER_VALUE,
  );
  const rows = Math.floor(STATEMENT_BYTES / bytes.reduce((sum, some) => sum + some, 0));
  return Math.min(MOST_ROWS_PER_STATEMENT, Math.max(1, rows));
}

/**
 * A server reports a missing right before a missing table. If a table does not exist, the statement cannot change
 * anything. A refusal because of the missing table alone means that the right exists.
 */
async function tryToWrite(db: ConsumptionDatabase): Promise<void> {
  const missing = sql.table(`doctor_${randomBytes(8).toString("hex")}`);
  for (const statement of [
    sql`SELECT * FROM ${missing}`,
    sql`INSERT INTO ${missing} VALUES (1)`,
    sql`UPDATE ${missing} SET number = 1`,
    sql`DELETE FROM ${missing}`,
    sql`CREATE TABLE ${sql.table(`doctor_${randomBytes(8).toString("hex")}`)} LIKE ${missing}`,
  ]) {
    try {
      await statement.execute(db);
    } catch (error) {
      if (systemCodeOf(error) !== "ER_NO_SUCH_TABLE") throw error;
    }
  }
}

/** Tries again after each delay, in turn, if the work failed for a reason that passes and was not cancelled. */
function repeatingAfter(
  { name }: MysqlAddress,
  { delaysMilliseconds, idleSeconds }: Use,
  db: ConsumptionDatabase,
  locks: ReadonlySet<MysqlLock>,
  standstill: Standstill,
  signal: AbortSignal | undefined,
): Dialect["repeating"] {
  return async (work) => {
    const begun = Date.now();
    const again = async () => {
      // The fault that ended a connection may have ended those of the locks, too. Then another run may have begun.
      for (const lock of locks) await lock.renew();
      return work();
    };
    for (let tries = 0; ; tries += 1) {
      try {
        return await (tries === 0 ? work() : again());
      } catch (error) {
        if (!isPassing(error) || signal?.aborted === true) throw error;
        // Other processes could write meanwhile, and may have changed the rows that this process is about to replace.
        const stoodSeconds = standstill.longestSince(begun);
        if (idleSeconds !== undefined && stoodSeconds >= idleSeconds)
          throw stoodStill(name, stoodSeconds, error);
        const delay = delaysMilliseconds[tries];
        if (delay !== undefined) await sleep(delay, undefined, { signal }).catch(() => undefined);
        else if (idleSeconds === undefined || !isContended(error)) throw error;
        else throw waitedInVain(name, (Date.now() - begun) / 1_000, await writersIn(db), error);
      }
    }
  };
}

function stoodStill(name: string, seconds: number, cause: unknown): PipelineError {
  return new PipelineError(
    "LOCK_LOST",
    `this process was paused for ${Math.round(seconds).toString()} s, and the ${name} ended its transaction ` +
      "so that others can write. Nothing was published; run again",
    { cause },
  );
}

/** The runs that may be writing, as far as the rights of the user show them. */
async function writersIn(db: ConsumptionDatabase) {
  const runs = await sql.raw<RunInProgress>(RUNS_IN_PROGRESS).execute(db).catch(nobody);
  const transactions = await sql<{ id: number; user: string; host: string; since: string }>`
    SELECT p.id AS id, p.user AS user, p.host AS host, t.trx_started AS since
    FROM information_schema.innodb_trx t JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id
    WHERE p.id <> CONNECTION_ID() AND t.trx_state <> 'LOCK WAIT' ORDER BY t.trx_started LIMIT 1`
    .execute(db)
    .catch(nobody);
  const [oldest] = transactions.rows;
  return {
    runs: runs.rows,
    transaction:
      oldest &&
      `the transaction of connection ${oldest.id.toString()}, ${oldest.user} from ${oldest.host}, since ${oldest.since} UTC`,
  };
}

/** A user without the right PROCESS does not see the transactions of others. A database without runs lists none. */
function nobody(): { rows: never[] } {
  return { rows: [] };
}

/** The inserted value of each column, in the one spelling that MySQL and MariaDB share. */
function inserted(columns: readonly string[]): Record<string, RawBuilder<never>> {
  return Object.fromEntries(columns.map((column) => [column, sql<never>`VALUES(${sql.ref(column)})`]));
}

/** How wide a client should show a number. It says nothing about the values. */
const DISPLAY_WIDTH = /^((?:tiny|big)?int)\(\d+\)$/;

/** The type of a column as `information_schema` writes it. */
function typeNameOf({ type, maxLength }: PublishedColumn): string {
  switch (type) {
    case "VARCHAR":
      return `varchar(${maxLength.toString()})`;
    case "INTEGER":
      return "int";
    case "BOOLEAN":
      return "tinyint";
    case "BIGINT":
      return "bigint";
    case "DOUBLE":
      return "double";
    case "DATE":
      return "date";
    case "TIMESTAMP":
      return "datetime(6)";
  }
}

function columnTypeOf({ type, maxLength }: PublishedColumn): ColumnType {
  switch (type) {
    case "VARCHAR":
      return `varchar(${maxLength})`;
    case "INTEGER":
      return "integer";
    case "BOOLEAN":
      return "boolean";
    case "BIGINT":
      return "bigint";
    case "DOUBLE":
      return "double precision";
    case "DATE":
      return "date";
    case "TIMESTAMP":
      return "datetime(6)";
  }
}
