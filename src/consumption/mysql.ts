import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, MysqlDialect, sql, type RawBuilder } from "kysely";
import { createPool, type Pool, type TypeCastField } from "mysql2";
import { untilAborted } from "../after-abort.js";
import { systemCodeOf } from "../errors.js";
import {
  translatingErrors,
  type ColumnType,
  type Consumption,
  type DatabaseServer,
  type Dialect,
  type PublishedColumn,
} from "./consumption.js";
import { readMysqlUrl, type MysqlAddress } from "./mysql-address.js";
import { isPassing, translateMysqlError } from "./mysql-errors.js";
import { isLockHeld, MysqlLock } from "./mysql-lock.js";
import { CANCELLED_MILLISECONDS, endSilentConnections } from "./mysql-silence.js";
import type { PublishedTable } from "./published-tables.js";
import type { ConsumptionDatabase, ConsumptionTables } from "./tables.js";

/** How a database is used, and how long a server is waited for. */
interface Use {
  readonly connections: number;
  /** How many may wait for a connection. */
  readonly queueLimit: number;
  readonly connectMilliseconds: number;
  /** A server that says nothing for longer is taken for dead. */
  readonly silenceMilliseconds: number;
  /** How long to wait before trying again, in turn. */
  readonly delaysMilliseconds: readonly number[];
}

/** A server that restarts is back within seconds. A statement of a run can be a long one. */
const WRITING: Use = {
  connections: 2,
  queueLimit: 0,
  connectMilliseconds: 5_000,
  silenceMilliseconds: 30_000,
  delaysMilliseconds: [100, 400, 1_000, 2_000, 4_000],
};
/** Who asks a service does not wait for a server. One more try: a connection that has rested in the pool can be dead. */
const READING: Use = {
  connections: 10,
  // Who has waited in vain is gone when the server is back: not many of them shall be before those who come then.
  queueLimit: 1_000,
  connectMilliseconds: 2_000,
  silenceMilliseconds: 2_000,
  delaysMilliseconds: [0],
};
const MOST_ROWS_PER_STATEMENT = 1_000;
/** Far below what servers take: MariaDB 16 MiB and MySQL 64 MiB, unless `max_allowed_packet` says otherwise. */
const STATEMENT_BYTES = 4 * 1024 * 1024;
const BYTES_PER_CODE_POINT = 4;
/** Of a number or a moment, and of what stands around any value. */
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
      onCreateConnection: async (connection) => {
        await connection.executeQuery(SESSION.compile(db));
      },
    }),
  });
  try {
    const locks = new Set<MysqlLock>();
    const repeating = repeatingAfter(use.delaysMilliseconds, locks, signal);
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
      close: () => db.destroy(),
    };
  } catch (error) {
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
    // Moments come as the text they are, and as short as DuckDB writes them.
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

/** Values are never cut, rounded or taken for others, and a backslash is what the driver takes it for. */
const SESSION = sql`SET SESSION sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,NO_ENGINE_SUBSTITUTION', time_zone = '+00:00', innodb_lock_wait_timeout = 10`;

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
    primaryKey: async (db, table) => {
      const { rows } = await sql<{ name: string }>`
        SELECT column_name AS name FROM information_schema.key_column_usage
        WHERE table_schema = DATABASE() AND table_name = ${table} AND constraint_name = 'PRIMARY'
        ORDER BY ordinal_position`.execute(db);
      return rows.map(({ name }) => name);
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

/** So many that the longest texts fit into a statement. */
function rowsPerUpsert({ columns }: PublishedTable): number {
  const bytes = columns.map(({ type, maxLength }) =>
    type === "VARCHAR" ? maxLength * BYTES_PER_CODE_POINT + BYTES_PER_VALUE : BYTES_PER_VALUE,
  );
  const rows = Math.floor(STATEMENT_BYTES / bytes.reduce((sum, some) => sum + some, 0));
  return Math.min(MOST_ROWS_PER_STATEMENT, Math.max(1, rows));
}

/**
 * A server says that a right is missing before it says that a table is: where no table is there, nothing can happen, and what is
 * refused for the want of the table alone would be allowed.
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

/** Tries again after each delay, in turn, where work has failed for a reason that passes, and was not cancelled. */
function repeatingAfter(
  delays: readonly number[],
  locks: ReadonlySet<MysqlLock>,
  signal: AbortSignal | undefined,
): Dialect["repeating"] {
  return async (work) => {
    const again = async () => {
      // What has ended a connection may have ended those of the locks, too, and another run may have begun.
      for (const lock of locks) await lock.renew();
      return work();
    };
    let attempt = work;
    for (const delay of delays) {
      try {
        return await attempt();
      } catch (error) {
        if (!isPassing(error) || signal?.aborted === true) throw error;
      }
      await sleep(delay, undefined, { signal }).catch(() => undefined);
      attempt = again;
    }
    return attempt();
  };
}

/** For each column the value that was to be inserted, in the one spelling that MySQL and MariaDB share. */
function inserted(columns: readonly string[]): Record<string, RawBuilder<never>> {
  return Object.fromEntries(columns.map((column) => [column, sql<never>`VALUES(${sql.ref(column)})`]));
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
