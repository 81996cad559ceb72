import { statSync } from "node:fs";
import { access, constants, mkdtemp, realpath, rmdir, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Kysely, sql, SqliteDialect } from "kysely";
import { messageOf, PipelineError, systemCodeOf, type FaultCode } from "../base/errors.js";
import { tryFileLock, type FileLock } from "../base/file-lock.js";
import { makeFolder, tryFolder } from "../base/files.js";
import { SqliteConnection, sqliteFault } from "../base/sqlite-driver.js";
import {
  RUNS_IN_PROGRESS,
  translatingErrors,
  waitedInVain,
  type Consumption,
  type Dialect,
  type Lock,
  type PublishedColumn,
  type RunInProgress,
  type TableFault,
} from "./consumption.js";
import type { ConsumptionTables } from "./schema.js";

/** How long a run waits for the transaction of another process, such as a publish of many rows. */
const WRITER_PATIENCE_MILLISECONDS = 120_000;
/** How long it waits to record the end of work that was cancelled. */
const CANCELLED_PATIENCE_MILLISECONDS = 2_000;
/** SQLite itself waits this long. It blocks the whole process, and the other transaction may be in the same process. */
const WRITER_TIMEOUT_MILLISECONDS = 1;
const BETWEEN_TRIES_MILLISECONDS = 30;
/** A reader of a database in WAL mode never waits for a writer; a service must not stand still for anything else. */
const READER_TIMEOUT_MILLISECONDS = 50;
/** A row costs SQLite more in a longer statement, and also in a statement of one row. */
const VALUES_PER_UPSERT = 1_000;

/** The statement that waits until no other connection writes. */
const BEGIN = "BEGIN IMMEDIATE";

/**
 * Opens the database to write it, and creates it if it is missing.
 * @param signal shortens the wait for another process that writes.
 * @param patienceMilliseconds the wait while another process writes.
 */
export async function openSqlite(
  file: string,
  signal?: AbortSignal,
  patienceMilliseconds = WRITER_PATIENCE_MILLISECONDS,
): Promise<Consumption> {
  const waiter: Waiter = { file, patienceMilliseconds, signal };
  const dialect = sqliteDialect(file, waiter);
  return translatingErrors(dialect, async () => {
    const folder = path.dirname(path.resolve(file));
    await makeFolder(folder);
    // SQLite opens a file that it cannot write, and creates files next to it that the owner of the file cannot write.
    if ((await identityOf(file)) !== undefined) await access(file, constants.R_OK | constants.W_OK);
    try {
      const connection = new SqliteConnection(path.resolve(file), "create");
      waiter.connection = connection;
      return await openFile(file, dialect, connection, [
        `busy_timeout = ${WRITER_TIMEOUT_MILLISECONDS}`,
        // Readers continue reading the last publication while the next one is written.
        "journal_mode = WAL",
        "synchronous = FULL",
      ]);
    } catch (error) {
      if (systemCodeOf(error) === "SQLITE_CANTOPEN") await assertRoom(folder);
      throw error;
    }
  });
}

/**
 * Opens the database to read it; undefined if it does not exist yet.
 * @param patienceMilliseconds the wait for others that lock the whole file.
 */
export async function openSqliteForReading(
  file: string,
  patienceMilliseconds?: number,
): Promise<Consumption | undefined> {
  const waiter = patienceMilliseconds === undefined ? undefined : { file, patienceMilliseconds };
  const dialect = sqliteDialect(file, waiter);
  return translatingErrors(dialect, async () => {
    if ((await identityOf(file)) === undefined) return undefined;
    await access(file, constants.R_OK);
    if (await isWritable(file)) {
      return openFile(file, dialect, new SqliteConnection(path.resolve(file), "existing"), READING);
    }
    // A user who may not write the database must not create files next to it: its owner could not write them.
    const isInUse =
      (await identityOf(`${file}-wal`)) !== undefined && (await identityOf(`${file}-shm`)) !== undefined;
    if (!isInUse) return openUnwritable(file, dialect);
    return openFile(file, dialect, new SqliteConnection(path.resolve(file), "read"), READING);
  });
}

/** Whether this user may write the file and create files next to it. SQLite needs both even to read it. */
async function isWritable(file: string): Promise<boolean> {
  try {
    await access(file, constants.W_OK);
    await access(path.dirname(path.resolve(file)), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

const READING = [`busy_timeout = ${READER_TIMEOUT_MILLISECONDS}`, "query_only = ON"];

/**
 * Opens a database that this user cannot write. SQLite reads it as a file that never changes, so a result is valid
 * only if the file has not changed.
 */
async function openUnwritable(file: string, dialect: Dialect): Promise<Consumption> {
  const opened = versionOf(file);
  if (opened.hasChangesBeside) {
    throw new PipelineError(
      "CONSUMPTION_NOT_USABLE",
      `the SQLite database ${file} has changes in ${file}-wal, and this user cannot write to its folder; ` +
        "run `npx pipeline status` as the owner of the database, or allow this user to write to the folder",
    );
  }
  const connection = new SqliteConnection(path.resolve(file), "immutable", unchanging(file, opened.version));
  const consumption = await openFile(file, dialect, connection, READING);
  return {
    ...consumption,
    isCurrent: () => {
      const now = versionOf(file);
      return Promise.resolve(now.version === opened.version && !now.hasChangesBeside);
    },
  };
}

/** Checks that a file that SQLite opened as immutable has not changed. */
function unchanging(file: string, version: string | undefined): () => void {
  return () => {
    if (versionOf(file).version !== version)
      throw sqliteFault("SQLITE_BUSY", "the file changed while it was read");
  };
}

/** The current identity of a file, and whether a writer left changes that are not in the file yet. */
function versionOf(file: string): {
  readonly version: string | undefined;
  readonly hasChangesBeside: boolean;
} {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  const beside = statSync(`${file}-wal`, { throwIfNoEntry: false });
  return {
    version: found && `${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`,
    hasChangesBeside: beside !== undefined && beside.size > 0,
  };
}

/**
 * Opens the database for inspection, and leaves every byte of its files unchanged. If it does not exist yet, an empty
 * one in memory is opened. If a writer changes the file meanwhile, a read fails.
 */
export async function openSqliteUntouched(file: string): Promise<Consumption> {
  const dialect = sqliteDialect(file);
  return translatingErrors(dialect, async () => {
    if ((await identityOf(file)) === undefined) return emptySqlite(file, dialect);
    await access(file, constants.R_OK);
    // If no other process has it open, even a reader would create files next to it, and the last one to close it
    // would move their contents.
    const isOpen = (await identityOf(`${file}-wal`)) !== undefined;
    const connection = isOpen
      ? new SqliteConnection(path.resolve(file), "read")
      : new SqliteConnection(path.resolve(file), "immutable", unchanging(file, versionOf(file).version));
    return openFile(file, dialect, connection, [`busy_timeout = ${READER_TIMEOUT_MILLISECONDS}`]);
  });
}

function emptySqlite(file: string, dialect: Dialect): Consumption {
  const connection = new SqliteConnection(":memory:", "create");
  const db = new Kysely<ConsumptionTables>({
    dialect: new SqliteDialect({ database: connection.forKysely() }),
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

async function openFile(
  file: string,
  dialect: Dialect,
  connection: SqliteConnection,
  pragmas: readonly string[],
): Promise<Consumption> {
  try {
    for (const pragma of pragmas) connection.exec(`PRAGMA ${pragma}`);
    // SQLite opens the file at the first read.
    connection.rows("SELECT count(*) FROM sqlite_schema");
    // Names that lead to the same file through links have the same lock.
    const realFile = await realpath(file);
    const identity = await identityOf(file);
    const db = new Kysely<ConsumptionTables>({
      dialect: new SqliteDialect({ database: connection.forKysely() }),
    });
    return {
      db,
      dialect,
      name: `SQLite database ${file}`,
      tryLocked: (lockName, use) => tryLocked(`${realFile}.locks`, dialect, lockName, use),
      isLocked: (lockName) => translatingErrors(dialect, () => isLocked(`${realFile}.locks`, lockName)),
      isCurrent: async () => (await identityOf(file)) === identity,
      close: async () => {
        connection.moveChanges();
        await db.destroy();
      },
    };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Identifies a file, and tells it from another of the same name; undefined if there is none. */
async function identityOf(file: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(file);
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemCodeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** Only the end of the process releases a lock on a file. */
const HELD: Lock = { assertHeld: () => Promise.resolve() };

/** The lock file stays. If it was removed, one process could lock the removed file while another locks its successor. */
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
    lock.release();
  }
}

async function takeLock(folder: string, lockName: string): Promise<FileLock | undefined> {
  await makeFolder(folder);
  const file = path.join(folder, lockName);
  try {
    return await tryFileLock(file);
  } catch (error) {
    if (DAMAGED.test(systemCodeOf(error) ?? "")) throw damagedLock(file, error);
    await assertRoom(folder);
    throw error;
  }
}

/** SQLite does not report why it cannot create a file. The file system does. */
async function assertRoom(folder: string): Promise<void> {
  await rmdir(await mkdtemp(path.join(folder, ".room-")));
}

function damagedLock(file: string, cause: unknown): PipelineError {
  const message = `the lock file ${file} is damaged: ${messageOf(cause)}; remove it while no run is in progress`;
  return new PipelineError("CONSUMPTION_NOT_USABLE", message, { cause });
}

async function isLocked(folder: string, lockName: string): Promise<boolean> {
  const file = path.join(folder, lockName);
  if ((await identityOf(file)) === undefined) return false;
  await access(file, constants.R_OK);
  const lock = new SqliteConnection(file, "read");
  try {
    // No process can read while another one holds it.
    lock.exec("SELECT count(*) FROM sqlite_schema");
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw DAMAGED.test(systemCodeOf(error) ?? "") ? damagedLock(file, error) : error;
  } finally {
    lock.close();
  }
}

function isBusy(error: unknown): boolean {
  return systemCodeOf(error)?.startsWith("SQLITE_BUSY") ?? false;
}

/** A connection that waits for other writers. */
interface Waiter {
  readonly file: string;
  readonly patienceMilliseconds: number;
  /** An abort shortens the patience. */
  readonly signal?: AbortSignal | undefined;
  /** Undefined until the database is open. */
  connection?: SqliteConnection;
}

/** Does some work, and repeats it while the transaction of another process blocks it. */
function repeatingWhileBusy(waiter: Waiter): Dialect["repeating"] {
  return async (work) => {
    const isAborted = () => waiter.signal?.aborted ?? false;
    const isAfterwards = isAborted();
    const patience = isAfterwards ? CANCELLED_PATIENCE_MILLISECONDS : waiter.patienceMilliseconds;
    const end = performance.now() + patience;
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!isBusy(error)) throw error;
        if (performance.now() >= end || (isAborted() && !isAfterwards)) throw busy(waiter, error);
      }
      await sleep(BETWEEN_TRIES_MILLISECONDS);
    }
  };
}

/**
 * No process can end the transaction of another one on a file. So the message names the runs that can be the other
 * writer.
 */
function busy({ file, patienceMilliseconds, connection }: Waiter, cause: unknown): PipelineError {
  const runs = connection === undefined ? [] : runsInProgress(connection);
  return waitedInVain(`SQLite database ${file}`, patienceMilliseconds / 1_000, { runs }, cause);
}

function runsInProgress(connection: SqliteConnection): RunInProgress[] {
  try {
    return connection.rows(RUNS_IN_PROGRESS) as unknown as RunInProgress[];
  } catch {
    // A database that is unreadable now, or has no runs yet, names no run.
    return [];
  }
}

/** @param waiter the wait for other writers; a reader never needs it. */
function sqliteDialect(file: string, waiter?: Waiter): Dialect {
  return {
    columnType: columnTypeOf,
    longText: "text",
    // SQLite compares bytes.
    tableOptions: sql``,
    typeName: columnTypeOf,
    columnTypes: async (db, table) => {
      const { rows } = await sql<{
        name: string;
        type: string;
      }>`SELECT name, lower(type) AS type FROM pragma_table_info(${table}) ORDER BY cid`.execute(db);
      return new Map(rows.map(({ name, type }) => [name, type === "int" ? "integer" : type]));
    },
    primaryKey: async (db, table) => {
      const { rows } = await sql<{
        name: string;
      }>`SELECT name FROM pragma_table_info(${table}) WHERE pk > 0 ORDER BY pk`.execute(db);
      return rows.map(({ name }) => name);
    },
    tableFaults: async (db, tables) => {
      const faults: TableFault[] = [];
      for (const table of tables) {
        const { rows } = await sql<{ coll: string }>`
          SELECT DISTINCT part.coll AS coll FROM pragma_index_list(${table}) own
          JOIN pragma_index_xinfo(own.name) part WHERE own.origin = 'pk' AND part.key = 1 AND part.coll <> 'BINARY'`.execute(
          db,
        );
        for (const { coll } of rows) faults.push({ table, what: `collation ${coll} instead of BINARY` });
      }
      return faults;
    },
    integrityFaults: async (db) => {
      const { rows } = await sql<{ integrity_check: string }>`PRAGMA integrity_check(20)`.execute(db);
      return rows.map(({ integrity_check }) => integrity_check).filter((said) => said !== "ok");
    },
    renameTables: async ({ transaction }, names) => {
      // Otherwise views of others would follow the old table to its new name.
      await sql`PRAGMA legacy_alter_table = ON`.execute(transaction);
      for (const [from, to] of names) await transaction.schema.alterTable(from).renameTo(to).execute();
      await sql`PRAGMA legacy_alter_table = OFF`.execute(transaction);
    },
    rowsPerUpsert: ({ columns }) => Math.max(1, Math.floor(VALUES_PER_UPSERT / columns.length)),
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
      // SQLite creates its own files next to the database, and the locks are there.
      await tryFolder(path.dirname(path.resolve(file)));
    },
    repeating: waiter === undefined ? (work) => work() : repeatingWhileBusy(waiter),
    translateError: (error) => translateSqliteError(file, error),
  };
}

/** The errors of a storage that is not reachable at the moment. */
const AWAY =
  /^(SQLITE_(IOERR|PROTOCOL|NOMEM|INTERRUPT)|E(IO|STALE|NOTCONN|TIMEDOUT|HOSTDOWN|AGAIN|BUSY|MFILE|NFILE|REMOTEIO)$)/;
const FORBIDDEN = /^(SQLITE_(READONLY|CANTOPEN|PERM|AUTH)|EACCES$|EPERM$|EROFS$)/;
const DAMAGED = /^SQLITE_(CORRUPT|NOTADB|RANGE)/;

/** Translates a fault of SQLite for the person who runs the pipeline; any other error stays the same. */
function translateSqliteError(file: string, error: unknown): unknown {
  if (error instanceof PipelineError) return error;
  const code = systemCodeOf(error) ?? "";
  const faultOf = (faultCode: FaultCode, what: string) =>
    new PipelineError(faultCode, `the SQLite database ${file} ${what}`, { cause: error });
  if (/^SQLITE_(BUSY|LOCKED)/.test(code)) {
    return faultOf("CONSUMPTION_UNAVAILABLE", "is busy with another writer; run again");
  }
  if (/^(SQLITE_FULL|ENOSPC|EDQUOT)/.test(code)) {
    return faultOf("STORAGE_FULL", "cannot grow because the disk is full; free some space and run again");
  }
  if (AWAY.test(code))
    return faultOf("CONSUMPTION_UNAVAILABLE", `cannot be read or written: ${messageOf(error)}; run again`);
  if (DAMAGED.test(code)) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `is damaged: ${messageOf(error)}; restore a copy of it, ` +
        "or move it away and publish its execution dates again",
    );
  }
  if (FORBIDDEN.test(code)) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `cannot be opened or written: ${messageOf(error)}; check CONSUMPTION_URL, and the rights of this user on the file, ` +
        "the files next to it and its folder",
    );
  }
  // All other errors of SQLite come from a database that this pipeline did not create. Node's own errors begin with
  // ERR_.
  if (/^(SQLITE_|E(?!RR_)[A-Z0-9]+$)/.test(code)) {
    return faultOf("CONSUMPTION_NOT_USABLE", `cannot be used: ${messageOf(error)}; check CONSUMPTION_URL`);
  }
  return error;
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
