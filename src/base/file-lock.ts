import { setTimeout as sleep } from "node:timers/promises";
import { systemCodeOf } from "./errors.js";

/** A lock on a file that serves only as a lock. The operating system releases it when its process ends. */
export interface FileLock {
  release(): void;
}

/** A process that only checks a lock holds it for a moment. */
const TRIES = 5;
const BETWEEN_TRIES_MILLISECONDS = 20;

/**
 * Locks a file, and creates it if it is missing. Processes that share the file exclude each other, even in different
 * containers. The lock is an exclusive transaction of SQLite, because Node has no file locks.
 * @returns undefined if another process holds it.
 * @throws an error of SQLite or of the file system if the file cannot be locked at all.
 */
export async function tryFileLock(file: string): Promise<FileLock | undefined> {
  const { SqliteConnection } = await import("./sqlite-driver.js");
  for (let tried = 1; ; tried++) {
    const database = new SqliteConnection(file, "create");
    try {
      database.exec("BEGIN EXCLUSIVE");
      return {
        release: () => {
          database.exec("ROLLBACK");
          database.close();
        },
      };
    } catch (error) {
      database.close();
      if (!/^SQLITE_(BUSY|LOCKED)/.test(systemCodeOf(error) ?? "")) throw error;
      if (tried === TRIES) return undefined;
    }
    await sleep(BETWEEN_TRIES_MILLISECONDS);
  }
}
