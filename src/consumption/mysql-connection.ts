import { createHash } from "node:crypto";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { sql } from "kysely";
import type { Pool } from "mysql2";
import { createConnection, type Connection, type RowDataPacket } from "mysql2/promise";
import { saidBy } from "../base/errors.js";
import { messageOf, PipelineError, systemCodeOf, type FaultCode } from "../base/errors.js";
import type { MysqlAddress } from "./mysql-address.js";
import type { ConsumptionDatabase } from "./schema.js";

/** Runs a statement of a connection, and gives the rows that it returns. */
type Say = (statement: string) => Promise<readonly Readonly<Record<string, unknown>>[]>;

/** A variable of a session, by the names that each server has for it. */
interface Variable {
  readonly MySQL: string | undefined;
  readonly MariaDB: string | undefined;
  readonly value: string | number;
}

const both = (name: string, value: string | number): Variable => ({ MySQL: name, MariaDB: name, value });

/**
 * The session variables that this pipeline needs, whatever a server, an `init_connect` or a proxy sets. The values of
 * sql_mode are in their order.
 */
const VARIABLES: readonly Variable[] = [
  both("autocommit", 1),
  // A commit ends the transaction, and neither begins another nor ends the connection.
  both("completion_type", "NO_CHAIN"),
  { MySQL: "transaction_isolation", MariaDB: "tx_isolation", value: "REPEATABLE-READ" },
  { MySQL: "transaction_read_only", MariaDB: "tx_read_only", value: 0 },
  both("character_set_client", "utf8mb4"),
  both("character_set_results", "utf8mb4"),
  both("collation_connection", "utf8mb4_bin"),
  // The server must not cut, round or change values, and a backslash means the same as in the driver.
  both("sql_mode", "NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,STRICT_ALL_TABLES"),
  both("time_zone", "+00:00"),
  both("sql_safe_updates", 0),
  both("sql_auto_is_null", 0),
  both("sql_select_limit", "18446744073709551615"),
  both("unique_checks", 1),
  // Kysely creates its own tables, and names no engine.
  both("default_storage_engine", "InnoDB"),
  both("innodb_lock_wait_timeout", 10),
  both("lock_wait_timeout", 10),
  both("net_read_timeout", 60),
  both("net_write_timeout", 60),
  { MySQL: "max_execution_time", MariaDB: undefined, value: 0 },
  { MySQL: undefined, MariaDB: "max_statement_time", value: 0 },
];

/**
 * Sets all session variables that this pipeline needs, and checks them: two statements.
 * @param database its name in messages.
 * @param idleSeconds the server ends a connection without a statement after this time, with its transaction and its
 * locks; undefined keeps the server's own limit.
 * @throws PipelineError CONSUMPTION_NOT_USABLE if a variable has another value.
 */
export async function prepareSession(say: Say, database: string, idleSeconds?: number): Promise<void> {
  const variables = [...VARIABLES, ...(idleSeconds === undefined ? [] : [both("wait_timeout", idleSeconds)])];
  await say(`SET ${spelled(variables, (name, value) => `SESSION ${name} = ${literal(value)}`)}`);
  const [held = {}] = await say(
    `SELECT ${spelled(variables, (name) => `CAST(@@SESSION.${name} AS CHAR) AS ${name}`)}`,
  );
  const wrong = variables.flatMap(({ MySQL, MariaDB, value }) => {
    const found = held[MySQL ?? ""] ?? held[MariaDB ?? ""];
    // One of the two servers does not have it.
    if (found === undefined && (MySQL === undefined || MariaDB === undefined)) return [];
    return normal(found) === normal(value)
      ? []
      : [`${MySQL ?? MariaDB ?? ""} is ${String(found)} instead of ${String(value)}`];
  });
  if (wrong.length === 0) return;
  throw new PipelineError(
    "CONSUMPTION_NOT_USABLE",
    `the ${database} does not keep session variables: ${wrong.join("; ")}. ` +
      "Connect to the server without a proxy, or fix the proxy",
  );
}

/** Each server reads the comments for it: MariaDB skips comments of MySQL 8, and MySQL skips those that begin with M. */
function spelled(
  variables: readonly Variable[],
  write: (name: string, value: string | number) => string,
): string {
  const common = variables.flatMap(({ MySQL, MariaDB, value }) =>
    MySQL !== undefined && MySQL === MariaDB ? [write(MySQL, value)] : [],
  );
  const only = (server: "MySQL" | "MariaDB") =>
    variables
      .filter(({ MySQL, MariaDB }) => MySQL !== MariaDB)
      .flatMap(({ [server]: name, value }) => (name === undefined ? [] : [`, ${write(name, value)}`]))
      .join("");
  return `${common.join(", ")} /*!80000 ${only("MySQL")} */ /*M! ${only("MariaDB")} */`;
}

function literal(value: string | number): string {
  return typeof value === "number" || /^[0-9]+$/.test(value) ? String(value) : `'${value}'`;
}

/** Servers write modes in their own order, switches as numbers or words, and numbers with or without a fraction. */
function normal(value: unknown): string {
  const text = String(value).toUpperCase();
  if (text === "ON" || text === "OFF") return text === "ON" ? "1" : "0";
  return text.replace(/\.0+$/, "").split(",").sort().join(",");
}

/**
 * How long to wait for a silent server after the work is cancelled. The server may still respond, and the end of the
 * work must be recorded.
 */
export const CANCELLED_MILLISECONDS = 2_000;

/**
 * Ends a connection of a pool if it stays silent for so long while somebody waits for it. A paused server, or a
 * network that drops packets, does not end a connection by itself. An idle connection may be silent, and does not
 * keep the process running.
 * @param signal cancels the work of the pool, and shortens the patience.
 */
export function endSilentConnections(pool: Pool, milliseconds: number, signal?: AbortSignal): void {
  const inUse = new Set<Socket>();
  const patience = () => (signal?.aborted === true ? CANCELLED_MILLISECONDS : milliseconds);
  pool.on("connection", (connection) => {
    endWhenSilent(connection, patience());
    const socket = socketOf(connection);
    socket.once("close", () => inUse.delete(socket));
  });
  pool.on("acquire", (connection) => {
    inUse.add(socketOf(connection).ref().setTimeout(patience()));
  });
  pool.on("release", (connection) => {
    inUse.delete(socketOf(connection).unref().setTimeout(0));
  });
  const shorten = () => {
    for (const socket of inUse) socket.setTimeout(CANCELLED_MILLISECONDS);
    connectionsOf(pool).connectTimeout = CANCELLED_MILLISECONDS;
  };
  signal?.addEventListener("abort", shorten, { once: true });
}

/** Ends a connection that stays silent for so long. */
function endWhenSilent(connection: object, milliseconds: number): void {
  const socket = socketOf(connection);
  socket.setTimeout(milliseconds).on("timeout", () => {
    const seconds = (socket.timeout ?? milliseconds) / 1_000;
    const silence = new Error(`no answer for ${seconds.toString()} s`);
    socket.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
}

/** Lets the process exit without waiting for the end of a connection: the server may never confirm it. */
function letGo(connection: object): void {
  socketOf(connection).unref();
}

/** The settings for new connections of a mysql2 pool, which its types do not have. */
function connectionsOf(pool: Pool): { connectTimeout: number } {
  const { config } = pool as unknown as { config: { connectionConfig: { connectTimeout: number } } };
  return config.connectionConfig;
}

/** The socket of a mysql2 connection, plain or with promises, which its types do not have. */
function socketOf(connection: object): Socket {
  return "connection" in connection
    ? socketOf(connection.connection as object)
    : (connection as { readonly stream: Socket }).stream;
}

const TICK_MILLISECONDS = 1_000;

/** Notices that this process has stood still: that it was stopped by a signal, or that its machine has slept. */
export class Standstill {
  readonly #timer = setInterval(() => {
    this.#note();
  }, TICK_MILLISECONDS).unref();
  readonly #stops: { readonly until: number; readonly milliseconds: number }[] = [];
  #last = Date.now();

  /** The longest standstill in seconds since a moment in milliseconds. */
  longestSince(moment: number): number {
    this.#note();
    const lasted = this.#stops.filter(({ until }) => until > moment).map(({ milliseconds }) => milliseconds);
    return Math.max(0, ...lasted) / 1_000;
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #note(): void {
    const now = Date.now();
    const milliseconds = now - this.#last;
    this.#last = now;
    if (milliseconds > 10 * TICK_MILLISECONDS) this.#stops.push({ until: now, milliseconds });
  }
}

/**
 * The holder of a lock sends a sign of life this often. If the server hears nothing for twice this time, it takes the
 * holder for dead and releases its lock.
 */
const HEARTBEAT_MILLISECONDS = 10_000;
const SILENCE_SECONDS = 60;
/** A holder waits this long for a response. */
const SERVER_SILENCE_MILLISECONDS = 30_000;
const CONNECT_MILLISECONDS = 5_000;
/** How long a server has to confirm the end of a connection. */
const RELEASE_MILLISECONDS = 1_000;
const MAX_NAME_LENGTH = 64;

/**
 * A lock of the server, held by a connection that does nothing else. The server releases it when the connection ends,
 * so when the process ends. It is not a lock of a table: a restart of the server ends it, too.
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

  /** False, at once, if another process holds it. */
  async take(): Promise<boolean> {
    const connection = await createConnection({
      ...this.#address.options,
      connectTimeout: CONNECT_MILLISECONDS,
      enableKeepAlive: true,
    });
    endWhenSilent(connection, SERVER_SILENCE_MILLISECONDS);
    // The next use finds a lost connection. Until then nobody waits for the error.
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
   * Takes the lock again if it was lost.
   * @throws PipelineError LOCK_LOST if another process has taken it since.
   */
  async renew(): Promise<void> {
    if (await this.isHeld()) return;
    await this.release();
    if (await this.take()) return;
    throw new PipelineError(
      "LOCK_LOST",
      `the connection to the ${this.#address.name} was lost, and another run took the lock; run again`,
    );
  }

  async release(): Promise<void> {
    clearInterval(this.#heartbeat);
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection === undefined) return;
    // The lock ends with the connection, also with a broken or silent one.
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

/** Lock names are common to all databases of a server, and short. */
function nameOnServer(database: string, lockName: string): string {
  const name = `${database}:${lockName}`;
  return name.length <= MAX_NAME_LENGTH ? name : createHash("sha256").update(name).digest("hex");
}

/** The connection is lost, or the server is shutting down. The next connection may work. */
const LOST = [
  "PROTOCOL_CONNECTION_LOST",
  "PROTOCOL_SEQUENCE_TIMEOUT",
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EAI_AGAIN",
  "ER_SERVER_SHUTDOWN",
  "ER_NORMAL_SHUTDOWN",
  "ER_CONNECTION_KILLED",
  "ER_CLIENT_INTERACTION_TIMEOUT",
];
/** The server has ended a transaction in favour of another one. */
const CONTENDED = ["ER_LOCK_DEADLOCK", "ER_LOCK_WAIT_TIMEOUT", "ER_CHECKREAD"];
/** Faults that pass without a change of settings, but not within seconds. */
const PASSING = [
  "ENOTFOUND",
  "ER_CON_COUNT_ERROR",
  "ER_TOO_MANY_USER_CONNECTIONS",
  "ER_OPTION_PREVENTS_STATEMENT",
  "ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION",
  "ER_OUT_OF_RESOURCES",
  "ER_OUTOFMEMORY",
];
const FULL = ["ER_DISK_FULL", "ER_RECORD_FILE_FULL", "ER_DISK_FULL_NOWAIT"];
/** mysql2 reports this text without a code if the connection is closed, or if too many callers wait for one. */
const CLOSED = /connection is in closed state|Connection lost|Queue limit reached/;
const TLS =
  /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|EPROTO|HANDSHAKE_)/;

/** Whether a retry can do the same work. */
export function isPassing(error: unknown): boolean {
  return isLost(error) || isContended(error);
}

/** Whether another transaction was in the way. */
export function isContended(error: unknown): boolean {
  return CONTENDED.includes(systemCodeOf(error) ?? "");
}

/** Translates a fault of MySQL for the person who runs the pipeline; any other error stays the same. */
export function translateMysqlError(name: string, error: unknown): unknown {
  if (error instanceof PipelineError) return error;
  const code = systemCodeOf(error) ?? "";
  const faultOf = (faultCode: FaultCode, what: string) =>
    new PipelineError(faultCode, `the ${name} ${what}`, { cause: error });
  if (isLost(error) || PASSING.includes(code)) {
    return faultOf(
      "CONSUMPTION_UNAVAILABLE",
      `is not reachable: ${saidBy(error)}; run again, or check CONSUMPTION_URL`,
    );
  }
  if (CONTENDED.includes(code)) {
    return faultOf("CONSUMPTION_UNAVAILABLE", `is busy with other writers: ${saidBy(error)}; run again`);
  }
  if (FULL.includes(code))
    return faultOf("STORAGE_FULL", `is full: ${saidBy(error)}; free some space and run again`);
  if (code === "ER_BAD_DB_ERROR") {
    return faultOf("CONSUMPTION_NOT_USABLE", "does not exist; create it, or correct CONSUMPTION_URL");
  }
  if (code === "ER_NET_PACKET_TOO_LARGE") {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `accepts only short statements: ${saidBy(error)}; set max_allowed_packet of the server to 16 MiB or more`,
    );
  }
  if (code === "ER_SECURE_TRANSPORT_REQUIRED") {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      "accepts only encrypted connections; add ?ssl-mode=REQUIRED to CONSUMPTION_URL, or " +
        "?ssl-mode=VERIFY_IDENTITY, which also checks the server's certificate",
    );
  }
  if (TLS.test(code)) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `refuses TLS: ${saidBy(error)}; check ssl-mode and ssl-ca in CONSUMPTION_URL`,
    );
  }
  if (code === "ER_ACCESS_DENIED_ERROR") {
    // MariaDB gives no details if a connection must be encrypted; both servers give none if a user must be.
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `cannot be used: ${saidBy(error)}; check user and password in CONSUMPTION_URL, and add ?ssl-mode=REQUIRED ` +
        "if it accepts only encrypted connections",
    );
  }
  // Everything else that the server refuses: a user, a password, a right, a table that differs from this pipeline's
  // own.
  if (code.startsWith("ER_")) {
    return faultOf(
      "CONSUMPTION_NOT_USABLE",
      `cannot be used: ${saidBy(error)}; check CONSUMPTION_URL and the rights of its user`,
    );
  }
  return error;
}

function isLost(error: unknown): boolean {
  return LOST.includes(systemCodeOf(error) ?? "") || CLOSED.test(messageOf(error));
}
