import type { Socket } from "node:net";
import type { Pool } from "mysql2";

/** How long a silent server is waited for once the work is cancelled: it may still answer, and the end of the work be recorded. */
export const CANCELLED_MILLISECONDS = 2_000;

/**
 * Ends a connection of a pool from which nothing comes for so long while someone waits for it: a server that is paused, or a
 * network that swallows packets, ends none by itself. One that is idle may be silent, and does not keep the process.
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

/** Ends a connection from which nothing comes for so long. */
export function endWhenSilent(connection: object, milliseconds: number): void {
  const socket = socketOf(connection);
  socket.setTimeout(milliseconds).on("timeout", () => {
    const seconds = (socket.timeout ?? milliseconds) / 1_000;
    const silence = new Error(`no answer for ${seconds.toString()} s`);
    socket.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
}

/** Has the process not wait for the end of a connection, which the server may never say. */
export function letGo(connection: object): void {
  socketOf(connection).unref();
}

/** What mysql2 makes further connections of a pool with, and has not in its types. */
function connectionsOf(pool: Pool): { connectTimeout: number } {
  const { config } = pool as unknown as { config: { connectionConfig: { connectTimeout: number } } };
  return config.connectionConfig;
}

/** What mysql2 has on its connections, plain ones and those with promises, and not in their types. */
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

  /** For how many seconds it stood still, at most, since a moment in milliseconds. */
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
