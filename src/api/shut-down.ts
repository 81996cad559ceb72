import type { Server } from "node:http";

/** How long requests that are under way have to end. */
const GRACE_MILLISECONDS = 5_000;

/** On SIGINT or SIGTERM takes no more requests, finishes those under way, and then lets go of the rest. */
export function shutDownOnSignals(server: Server, release: () => Promise<void>): void {
  const shutDown = () => {
    server.close(() => void release());
    server.closeIdleConnections();
    // A connection on which no request has begun, or none ends, would keep the process for ever.
    setTimeout(() => {
      server.closeAllConnections();
    }, GRACE_MILLISECONDS).unref();
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, shutDown);
}
