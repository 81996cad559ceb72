import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { PipelineError } from "../base/errors.js";
import type { MysqlAddress } from "./mysql-address.js";
import { prepareSession } from "./mysql-session.js";
import { endWhenSilent, letGo } from "./mysql-silence.js";
import type { ConsumptionDatabase } from "./tables.js";

/** A server hears from a holder this often. One that it has not heard of for the other time is dead, and its lock is free. */
const HEARTBEAT_MILLISECONDS = 10_000;
const SILENCE_SECONDS = 60;
/** And a holder waits for an answer no longer than this. */
const SERVER_SILENCE_MILLISECONDS = 30_000;
const CONNECT_MILLISECONDS = 5_000;
/** How long a server has to say that the connection has ended. */
const RELEASE_MILLISECONDS = 1_000;
const MAX_NAME_LENGTH = 64;

/**
 * A lock of the server's own, held by a connection that does nothing else. The server lets go of it when the connection
 * ends, and so with the process that holds it. It is the server's, not one of a table: a restart of the server ends it, too.
 */
export class MysqlLock {
  readonly #address: MysqlAddress;
  readonly #name: string;
  #connection: Connection | undefined;
  #heartbeat: NodeJS.Timeout | undefined;

  constructor(address: MysqlAddress, lockName: string) {
    this.#address = address;
    this.#name = nameOnServer(address.database, lockName);
  }

  /** False, at once, where another holds it. */
  async take(): Promise<boolean> {
    const connection = await createConnection({
      ...this.#address.options,
      connectTimeout: CONNECT_MILLISECONDS,
      enableKeepAlive: true,
    });
    endWhenSilent(connection, SERVER_SILENCE_MILLISECONDS);
    // A lost connection is found when it is next asked; until then there is nobody to tell.
    connection.on("error", () => undefined);
    try {
      const say = async (statement: string) => (await connection.query<RowDataPacket[]>(statement))[0];
      await prepareSession(say, this.#address.name, SILENCE_SECONDS);
      const isTaken = await holds(connection, "SELECT GET_LOCK(?, 0) AS held", this.#name);
      if (!isTaken) {
        await connection.end();
        return false;
      }
    } catch (error) {
      connection.destroy();
      throw error;
    }
    this.#connection = connection;
    this.#heartbeat = setInterval(() => {
      connection.query("DO 0").catch(() => undefined);
    }, HEARTBEAT_MILLISECONDS).unref();
    return true;
  }

  /** Whether this connection holds the lock still. */
  async isHeld(): Promise<boolean> {
    if (this.#connection === undefined) return false;
    try {
      return await holds(this.#connection, "SELECT IS_USED_LOCK(?) = CONNECTION_ID() AS held", this.#name);
    } catch {
      return false;
    }
  }

  /**
   * Takes the lock once more where it was lost.
   * @throws PipelineError LOCK_LOST where another has it by now.
   */
  async renew(): Promise<void> {
    if (await this.isHeld()) return;
    await this.release();
    if (await this.take()) return;
    throw new PipelineError(
      "LOCK_LOST",
      `the lock in the ${this.#address.name} was lost with its connection, and another run has taken it; run again`,
    );
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // The lock goes with the connection, also with one that is broken or silent.
    const ending = connection.end().catch(() => undefined);
    await Promise.race([ending, sleep(RELEASE_MILLISECONDS, undefined, { ref: false })]);
    connection.destroy();
    letGo(connection);
  }
}

async function holds(connection: Connection, query: string, name: string): Promise<boolean> {
  const [rows] = await connection.query<RowDataPacket[]>(query, [name]);
  return rows[0]?.["held"] === 1;
}

/** Whether any connection to the server holds a lock. */
export async function isLockHeld(
  db: ConsumptionDatabase,
  database: string,
  lockName: string,
): Promise<boolean> {
  const name = nameOnServer(database, lockName);
  const { rows } = await sql<{ holder: number | null }>`SELECT IS_USED_LOCK(${name}) AS holder`.execute(db);
  return rows[0]?.holder != null;
}

/** Names of locks are the same for all databases of a server, and short. */
function nameOnServer(database: string, lockName: string): string {
  const name = `${database}:${lockName}`;
  return name.length <= MAX_NAME_LENGTH ? name : createHash("sha256").update(name).digest("hex");
}
