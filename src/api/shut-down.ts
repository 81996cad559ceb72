import type { Server } from "node:http";
import type { UnderWay } from "./under-way.js";

/** How shells report a process that a signal ended. */
const EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;
const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/**
 * On SIGINT or SIGTERM takes no more requests, finishes those under way, and then lets go of the rest. A second signal ends
 * the process at once.
 * @param graceSeconds how long requests that are under way have to end.
 */
export function shutDownOnSignals(
  server: Server,
  underWay: UnderWay,
  graceSeconds: number,
  release: () => Promise<void>,
): void {
  const shutDown = () => {
    for (const signal of SIGNALS) process.off(signal, shutDown).once(signal, endAtOnce);
    underWay.end();
    server.close(() => void release());
    server.closeIdleConnections();
    // A connection on which no request has begun, or none ends, would keep the process for ever.
    setTimeout(() => {
      server.closeAllConnections();
    }, graceSeconds * 1_000).unref();
  };
  for (const signal of SIGNALS) process.once(signal, shutDown);
}

/** The first process of a container is not ended by a signal alone. */
function endAtOnce(signal: keyof typeof EXIT_CODES): void {
  process.exit(EXIT_CODES[signal]);
}
