import type { SqliteDatabase } from "kysely";
import type Database from "libsql";

/** The statement that waits until no other connection writes. */
export const BEGIN = "BEGIN IMMEDIATE";

/**
 * A database as Kysely takes it, in which nothing is written but in a transaction that had its turn. libsql does not reset a statement
 * that finds the database busy: until it is collected as garbage, what is written after it by the same connection is not committed,
 * and keeps all others out. `exec` leaves no statement behind.
 */
export function takingTurns(database: Database.Database): SqliteDatabase {
  return {
    close: () => {
      database.close();
    },
    prepare: (text) => {
      const statement = database.prepare(text);
      return {
        reader: statement.reader,
        all: (parameters) => statement.all([...parameters]),
        iterate: (parameters) => statement.iterate([...parameters]),
        run: (parameters) => {
          if (BEGINS.test(text)) {
            database.exec(text);
            return NOTHING_CHANGED;
          }
          const write = () => statement.run([...parameters]);
          return database.inTransaction ? write() : inTurn(database, write);
        },
      };
    },
  };
}

/** Also one that only reads, which waits for nobody. */
const BEGINS = /^begin\b/i;
const NOTHING_CHANGED = { changes: 0, lastInsertRowid: 0 };

function inTurn<Result>(database: Database.Database, write: () => Result): Result {
  database.exec(BEGIN);
  try {
    const result = write();
    database.exec("COMMIT");
    return result;
  } catch (error) {
    if (database.inTransaction) database.exec("ROLLBACK");
    throw error;
  }
}
