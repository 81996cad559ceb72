import { access, constants, mkdtemp, realpath, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { Kysely, sql, SqliteDialect } from "kysely";
import Database from "libsql";
import { messageOf, PipelineError, systemCodeOf, type FaultCode } from "../errors.js";
import { makeFolder, tryFolder } from "../make-folder.js";
import {
  translatingErrors,
  type Consumption,
  type Dialect,
  type Lock,
  type PublishedColumn,
} from "./consumption.js";
import { BEGIN, takingTurns } from "./sqlite-turns.js";
import type { ConsumptionTables } from "./tables.js";

/** How long a run waits for another's transaction, as that of a publish of many rows. */
const WRITER_PATIENCE_MILLISECONDS = 120_000;
/** How long it waits to record the end of work that was cancelled. */
const CANCELLED_PATIENCE_MILLISECONDS = 2_000;
/** SQLite itself waits so long, and holds up the whole process, in which the other transaction may have to go on. */
const WRITER_TIMEOUT_MILLISECONDS = 1;
const BETWEEN_TRIES_MILLISECONDS = 30;
/** A reader of a database in WAL mode never waits for a writer; a service must not stand still for anything else. */
const READER_TIMEOUT_MILLISECONDS = 50;
/** How long a lock is tried that is held. */
const ASKED_MILLISECONDS = 100;
/** SQLite takes up to 32,766 bound values in a statement. */
const MAX_BOUND_VALUES = 30_000;

/** Opens the database to write it, and makes it where it is not there. */
export async function openSqlite(file: string, signal?: AbortSignal): Promise<Consumption> {
  const dialect = sqliteDialect(file, WRITER_PATIENCE_MILLISECONDS, signal);
  return translatingErrors(dialect, async () => {
    const folder = path.dirname(path.resolve(file));
    await makeFolder(folder);
    try {
      // Readers go on reading the last publication while the next one is written.
      return await openFile(file, dialect, [
        `busy_timeout = ${WRITER_TIMEOUT_MILLISECONDS}`,
        "journal_mode = WAL",
      ]);
    } catch (error) {
      if (systemCodeOf(error)?.startsWith("SQLITE_CANTOPEN") === true) await assertRoom(folder);
      throw error;
    }
  });
}

/** Opens the database to read it; undefined where it is not there yet. */
export async function openSqliteForReading(file: string): Promise<Consumption | undefined> {
  const dialect = sqliteDialect(file);
  return translatingErrors(dialect, async () => {
    if ((await identityOf(file)) === undefined) return undefined;
    return openFile(file, dialect, [`busy_timeout = ${READER_TIMEOUT_MILLISECONDS}`, "query_only = ON"]);
  });
}

/**
 * Opens the database to look at it, and leaves every byte of its files as it is; where it is not there yet, an empty one in memory.
 * It is for a look, not for answers: a writer that begins meanwhile can spoil it.
 */
export async function openSqliteUntouched(file: string): Promise<Consumption> {
  const dialect = sqliteDialect(file);
  return translatingErrors(dialect, async () => {
    if ((await identityOf(file)) === undefined) return emptySqlite(file, dialect);
    // Where no other has it open, even a reader would make files beside it, and whoever closes it last moves what they hold.
    const isOpen = (await identityOf(`${file}-wal`)) !== undefined;
    const address = `${pathToFileURL(file).href}?${isOpen ? "mode=ro" : "immutable=1"}`;
    return openFile(file, dialect, [`busy_timeout = ${READER_TIMEOUT_MILLISECONDS}`], address);
  });
}

function emptySqlite(file: string, dialect: Dialect): Consumption {
  const db = new Kysely<ConsumptionTables>({
    dialect: new SqliteDialect({ database: new Database(":memory:") }),
  });
  return {
    db,
    dialect,
    name: `SQLite database ${file}`,
    tryLocked: async (_lockName, use) => ({ result: await use(HELD) }),
    isLocked: () => Promise.resolve(false),
    isCurrent: () => Promise.resolve(true),
    close: () => db.destroy(),
  };
}

/** @param address how SQLite opens the file; its path unless given. */
async function openFile(
  file: string,
  dialect: Dialect,
  pragmas: readonly string[],
  address = file,
): Promise<Consumption> {
  const database = openDatabase(address);
  try {
    for (const pragma of pragmas) database.pragma(pragma);
    // Names that lead to the same file through links have the same lock.
    const realFile = await realpath(file);
    const identity = await identityOf(file);
    const db = new Kysely<ConsumptionTables>({
      dialect: new SqliteDialect({ database: takingTurns(database) }),
    });
    return {
      db,
      dialect,
      name: `SQLite database ${file}`,
      tryLocked: (lockName, use) => tryLocked(`${realFile}.locks`, dialect, lockName, use),
      isLocked: (lockName) => translatingErrors(dialect, () => isLocked(`${realFile}.locks`, lockName)),
      isCurrent: async () => (await identityOf(file)) === identity,
      close: () => db.destroy(),
    };
  } catch (error) {
    database.close();
    throw error;
  }
}

/** libsql gives no code to the error of a file that it cannot open. */
function openDatabase(file: string): Database.Database {
  try {
    return new Database(file);
  } catch (error) {
    throw Object.assign(new Error(messageOf(error), { cause: error }), { code: "SQLITE_CANTOPEN" });
  }
}

/** Tells a file from another of the same name; undefined where there is none. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file);
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Only the end of the process takes a lock on a file away. */
const HELD: Lock = { assertHeld: () => Promise.resolve() };

/**
 * A lock is an exclusive transaction on a file of its own. The operating system ends it with the process that holds it.
 * The file stays: to remove it would let one process lock a file that is gone while another locks its successor.
 */
async function tryLocked<Result>(
  folder: string,
  dialect: Dialect,
  lockName: string,
  use: (lock: Lock) => Promise<Result>,
): Promise<{ result: Result } | undefined> {
  const lock = await translatingErrors(dialect, () => takeLock(folder, lockName));
  if (lock === undefined) return undefined;
  try {
    return { result: await use(HELD) };
  } finally {
    lock.exec("ROLLBACK");
    lock.close();
  }
}

async function takeLock(folder: string, lockName: string): Promise<Database.Database | undefined> {
  await makeFolder(folder);
  let lock: Database.Database | undefined;
  try {
    lock = openDatabase(path.join(folder, lockName));
    // Who only asks whether it is held is in the way for a moment.
    lock.pragma(`busy_timeout = ${ASKED_MILLISECONDS}`);
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock?.close();
    if (isBusy(error)) return undefined;
    await assertRoom(folder);
    throw error;
  }
}

/** SQLite does not say why it can make no file. The file system does. */
async function assertRoom(folder: string): Promise<void> {
  await rmdir(await mkdtemp(path.join(folder, ".room-")));
}

async function isLocked(folder: string, lockName: string): Promise<boolean> {
  const file = path.join(folder, lockName);
  if ((await identityOf(file)) === undefined) return false;
  const lock = new Database(file, { readonly: true });
  try {
    // Nobody can read while another holds it.
    lock.exec("SELECT count(*) FROM sqlite_master");
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw error;
  } finally {
    lock.close();
  }
}

function isBusy(error: unknown): boolean {
  return systemCodeOf(error)?.startsWith("SQLITE_BUSY") ?? false;
}

/** Does some work, and again and again while another's transaction is in the way. An abort leaves less patience. */
function repeatingWhileBusy(
  patienceMilliseconds: number,
  signal: AbortSignal | undefined,
): Dialect["repeating"] {
  return async (work) => {
    const isAborted = () => signal?.aborted ?? false;
    const isAfterwards = isAborted();
    const patience = isAfterwards ? CANCELLED_PATIENCE_MILLISECONDS : patienceMilliseconds;
    const end = performance.now() + patience;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        const isOver = performance.now() >= end || (isAborted() && !isAfterwards);
        if (!isBusy(error) || isOver) throw error;
      }
      await sleep(BETWEEN_TRIES_MILLISECONDS);
    }
  };
}

/** @param patienceMilliseconds how long it waits for others that write; a reader never has to. */
function sqliteDialect(file: string, patienceMilliseconds = 0, signal?: AbortSignal): Dialect {
  return {
    columnType: columnTypeOf,
    longText: "text",
    // SQLite compares bytes.
    tableOptions: sql``,
    primaryKey: async (db, table) => {
      const { rows } = await sql<{
        name: string;
      }>`SELECT name FROM pragma_table_info(${table}) WHERE pk > 0 ORDER BY pk`.execute(db);
      return rows.map(({ name }) => name);
    },
    rowsPerUpsert: ({ columns }) => Math.max(1, Math.floor(MAX_BOUND_VALUES / columns.length)),
    upsert: (db, { name, key }, rows) => {
      const values = Object.keys(rows[0] ?? {}).filter((column) => !key.includes(column));
      return db
        .insertInto(name)
        .values(rows)
        .onConflict((conflict) =>
          values.length === 0
            ? conflict.columns([...key]).doNothing()
            : conflict
                .columns([...key])
                .doUpdateSet((set) =>
                  Object.fromEntries(values.map((column) => [column, set.ref(`excluded.${column}`)])),
                ),
        );
    },
    begin: BEGIN,
    server: () => Promise.resolve(undefined),
    tryToWrite: async () => {
      if ((await identityOf(file)) !== undefined) await access(file, constants.R_OK | constants.W_OK);
      // Beside the database SQLite makes files of its own, and the locks are there.
      await tryFolder(path.dirname(path.resolve(file)));
    },
    repeating: repeatingWhileBusy(patienceMilliseconds, signal),
    translateError: (error) => {
      const code = systemCodeOf(error) ?? "";
      const faultOf = (faultCode: FaultCode, what: string) =>
        new PipelineError(faultCode, `the SQLite database ${file} ${what}`, { cause: error });
      if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
        return faultOf("CONSUMPTION_UNAVAILABLE", "is busy with another writer; run again");
      }
      if (/^(SQLITE_FULL|ENOSPC)/.test(code)) {
        return faultOf("STORAGE_FULL", "cannot grow, the disk is full; free some space and run again");
      }
      if (code.startsWith("SQLITE_IOERR")) {
        return faultOf("CONSUMPTION_UNAVAILABLE", `cannot be read or written: ${messageOf(error)}`);
      }
      // Whatever else SQLite refuses comes from a file that is no database, or not one that this pipeline has made.
      if (/^(SQLITE_|EACCES|EPERM|EROFS|ENOTDIR|EEXIST|EISDIR)/.test(code)) {
        return faultOf(
          "CONSUMPTION_NOT_USABLE",
          `cannot be used: ${messageOf(error)}; check CONSUMPTION_URL`,
        );
      }
      return error;
    },
  };
}

function columnTypeOf({ type, maxLength }: PublishedColumn) {
  switch (type) {
    case "VARCHAR":
      return `varchar(${maxLength})` as const;
    case "INTEGER":
    case "BOOLEAN":
      return "integer";
    case "BIGINT":
      return "bigint";
    case "DOUBLE":
      return "double precision";
    case "DATE":
      return "date";
    case "TIMESTAMP":
      return "timestamp(6)";
  }
}
