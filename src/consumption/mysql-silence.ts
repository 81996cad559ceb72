import type { Socket } from "node:net";
import type { Pool } from "mysql2";

/**
 * Ends a connection of a pool from which nothing comes for so long while someone waits for it: a server that is paused, or a
 * network that swallows packets, ends none by itself. One that is idle may be silent, and does not keep the process.
 */
export function endSilentConnections(pool: Pool, milliseconds: number): void {
  pool.on("connection", (connection) => {
    endWhenSilent(connection, milliseconds);
  });
  pool.on("acquire", (connection) => {
    socketOf(connection).ref().setTimeout(milliseconds);
  });
  pool.on("release", (connection) => {
    socketOf(connection).unref().setTimeout(0);
  });
}

/** Ends a connection from which nothing comes for so long. */
export function endWhenSilent(connection: object, milliseconds: number): void {
  const socket = socketOf(connection);
  socket.setTimeout(milliseconds).on("timeout", () => {
    const silence = new Error(`no answer for ${(milliseconds / 1_000).toString()} s`);
    socket.destroy(Object.assign(silence, { code: "ETIMEDOUT" }));
  });
}

/** Has the process not wait for the end of a connection, which the server may never say. */
export function letGo(connection: object): void {
  socketOf(connection).unref();
}

/** What mysql2 has on its connections, plain ones and those with promises, and not in their types. */
function socketOf(connection: object): Socket {
  return "connection" in connection
    ? socketOf(connection.connection as object)
    : (connection as { readonly stream: Socket }).stream;
}
