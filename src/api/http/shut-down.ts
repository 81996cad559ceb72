import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endAtOnce, onEndingSignals } from "../../base/ending-signals.js";
import { endNow, EXIT_CODES } from "../../base/exit-codes.js";

/** The answers that are not sent to their end yet, and whether they are the last ones. */
export class UnderWay {
  readonly #responses = new Set<ServerResponse>();
  #isEnding = false;

  /** Whether the service is told to end: it finishes what it has begun. */
  get isEnding(): boolean {
    return this.#isEnding;
  }

  get count(): number {
    return this.#responses.size;
  }

  add(response: ServerResponse): void {
    this.#responses.add(response);
    if (this.#isEnding) announceEnd(response);
  }

  remove(response: ServerResponse): void {
    this.#responses.delete(response);
  }

  /**
   * Ends the answers that were waiting for their turn on a connection that is closed: Node tells only the one whose turn it
   * was.
   */
  abandon(connection: Duplex): void {
    for (const response of this.#responses) if (response.req.socket === connection) response.emit("close");
  }

  /** From now on every answer tells its client to open another connection for what comes next. */
  end(): void {
    this.#isEnding = true;
    for (const response of this.#responses) announceEnd(response);
  }

  /** Whether a part of an answer has gone out on a connection already. */
  hasBegunOn(connection: Duplex): boolean {
    return [...this.#responses].some((response) => response.socket === connection && response.headersSent);
  }
}

function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
}

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
