import { pathToFileURL } from "node:url";
import { DatabaseSync, type DatabaseSyncInstance } from "@photostructure/sqlite";
import type { SqliteDatabase, SqliteStatement } from "kysely";
import { messageOf, systemCodeOf } from "./errors.js";
import { openFilesError } from "./machine-faults.js";

/** A value from SQLite. */
type Value = string | number | bigint | null | Uint8Array;
export type SqliteRow = Record<string, Value>;

/**
 * The mode of opening a file: write and create it, use an existing file, read it, or read it as a file that never
 * changes.
 */
export type OpenMode = "create" | "existing" | "read" | "immutable";

const URI_PARAMETERS = { existing: "mode=rw", read: "mode=ro", immutable: "immutable=1" };
/** The driver replaces bytes that are not UTF-8 by this. */
const REPLACEMENT = "\uFFFD";
const UTF_8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * A connection to a SQLite database. The `code` of its errors is SQLite's name of the fault, such as `SQLITE_BUSY`. A
 * text that is not UTF-8 is a fault, too: the driver alone would return another text.
 */
export class SqliteConnection {
  readonly #database: DatabaseSyncInstance;
  readonly #mode: OpenMode;
  readonly #assertValid: () => void;

  /**
   * @param file its path, or `:memory:`
   * @param assertValid runs after each read, and throws if the result is not valid.
   */
  constructor(file: string, mode: OpenMode, assertValid: () => void = () => undefined) {
    this.#mode = mode;
    this.#assertValid = assertValid;
    const location = mode === "create" ? file : `${pathToFileURL(file).href}?${URI_PARAMETERS[mode]}`;
    this.#database = withNamedFaults(() => new DatabaseSync(location, { readOnly: mode === "read" }));
  }

  /** Runs statements that have no parameters, and ignores their rows. */
  exec(text: string): void {
    withNamedFaults(() => {
      this.#database.exec(text);
    });
  }

  /** The rows that a statement returns. */
  rows(text: string, parameters: readonly unknown[] = []): SqliteRow[] {
    return withNamedFaults(() => this.#rows(text, this.#database.prepare(text), parameters));
  }

  /**
   * Moves the changes in the side files into the file. SQLite does this at the end of the last connection, but the
   * driver ends a connection only when its statements are collected as garbage.
   */
  moveChanges(): void {
    if (this.#mode !== "create") return;
    try {
      this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch {
      // Nothing is lost: the next connection reads the changes from the side files.
    }
  }

  close(): void {
    this.#database.close();
  }

  /** The connection in the form for Kysely. */
  forKysely(): SqliteDatabase {
    let lastWrite: { readonly text: string; readonly statement: SqliteStatement } | undefined;
    return {
      close: () => {
        lastWrite = undefined;
        this.close();
      },
      prepare: (text) => {
        // A repeated write is prepared once. The result of a query can change with its tables, so queries are not
        // kept.
        if (lastWrite?.text === text) return lastWrite.statement;
        const statement = this.#prepare(text);
        if (!statement.reader) lastWrite = { text, statement };
        return statement;
      },
    };
  }

  #prepare(text: string): SqliteStatement {
    const statement = withNamedFaults(() => this.#database.prepare(text));
    const all = (parameters: readonly unknown[]) =>
      withNamedFaults(() => this.#rows(text, statement, parameters));
    return {
      reader: statement.columns().length > 0,
      all,
      iterate: (parameters) => all(parameters)[Symbol.iterator](),
      run: (parameters) => withNamedFaults(() => statement.run(...parameters)),
    };
  }

  #rows(text: string, statement: Statement, parameters: readonly unknown[]): SqliteRow[] {
    const names = statement.columns().map(({ name }) => name);
    // Objects of the driver have no prototype, and take twice as long.
    statement.setReturnArrays(true);
    const found = statement.all(...parameters) as Value[][];
    this.#assertValid();
    if (found.some((values) => values.some(isReplaced))) this.#assertUtf8(text, names, parameters);
    return found.map((values) => {
      const row: SqliteRow = {};
      names.forEach((name, column) => {
        row[name] = values[column] ?? null;
      });
      return row;
    });
  }

  /** A text may contain the replacement character itself. Only its bytes show that. */
  #assertUtf8(text: string, names: readonly string[], parameters: readonly unknown[]): void {
    const columns = names.map((_name, column) => `c${column.toString()}`);
    const bytes = columns.map(
      (column) => `CASE typeof(${column}) WHEN 'text' THEN CAST(${column} AS BLOB) END`,
    );
    const statement = this.#database.prepare(
      `WITH found (${columns.join(", ")}) AS (${text}) SELECT ${bytes.join(", ")} FROM found`,
    );
    statement.setReturnArrays(true);
    for (const values of statement.all(...parameters) as (Uint8Array | null)[][]) {
      for (const [column, value] of values.entries()) {
        if (value !== null && !isUtf8(value))
          throw sqliteFault("SQLITE_CORRUPT", `a text in the column ${names[column] ?? ""} is not UTF-8`);
      }
    }
  }
}

type Statement = ReturnType<DatabaseSyncInstance["prepare"]>;

function isReplaced(value: Value): boolean {
  return typeof value === "string" && value.includes(REPLACEMENT);
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    UTF_8.decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/** An error in the form of SQLite's own errors. */
export function sqliteFault(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}

function withNamedFaults<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    // The driver raises this for whole numbers that JavaScript cannot hold exactly.
    if (systemCodeOf(error) === "ERR_OUT_OF_RANGE")
      throw sqliteFault("SQLITE_RANGE", messageOf(error), error);
    if (systemCodeOf(error) !== "ERR_SQLITE_ERROR") throw error;
    const name = nameOf(error as object);
    // SQLite does not report why it cannot open a file.
    const cause = name.startsWith("SQLITE_CANTOPEN") ? (openFilesError() ?? error) : error;
    throw sqliteFault(name, messageOf(error), cause);
  }
}

/** For a fault during a read of rows, the driver has only SQLite's message. These are SQLite's messages, word for word. */
const NAMES: Readonly<Record<string, string>> = {
  "database is locked": "SQLITE_BUSY",
  "database table is locked": "SQLITE_LOCKED",
  "database disk image is malformed": "SQLITE_CORRUPT",
  "file is not a database": "SQLITE_NOTADB",
  "attempt to write a readonly database": "SQLITE_READONLY",
  "unable to open database file": "SQLITE_CANTOPEN",
  "database or disk is full": "SQLITE_FULL",
  "disk I/O error": "SQLITE_IOERR",
  "locking protocol": "SQLITE_PROTOCOL",
  "out of memory": "SQLITE_NOMEM",
  "access permission denied": "SQLITE_PERM",
};

function nameOf(error: object): string {
  if ("sqliteCodeName" in error) return String(error.sqliteCodeName);
  return NAMES[messageOf(error)] ?? "SQLITE_ERROR";
}
