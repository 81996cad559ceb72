import type { Server } from "node:http";
import { endAtOnce, onEndingSignals } from "../base/ending-signals.js";
import { EXIT_CODES, endNow } from "../base/exit-codes.js";
import type { UnderWay } from "./under-way.js";

/** How long the database has to let go, once no request is under way. */
const RELEASE_MILLISECONDS = 2_000;

/**
 * On SIGINT, SIGTERM or SIGHUP takes no more requests, finishes those under way, and then lets go of the rest. A second signal ends
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
    underWay.end();
    // What cannot be let go of goes with the process.
    server.close(() => void release().catch(() => undefined));
    server.closeIdleConnections();
    // A connection on which no request has begun, or none ends, would keep the process for ever.
    setTimeout(() => {
      server.closeAllConnections();
    }, graceSeconds * 1_000).unref();
    // A database that is silent does not say that a connection has ended.
    setTimeout(() => endNow(EXIT_CODES.done), graceSeconds * 1_000 + RELEASE_MILLISECONDS).unref();
  };
  onEndingSignals((signal, isFirst) => {
    if (isFirst) shutDown();
    else endAtOnce(signal);
  });
}
