import type { Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { endAtOnce, onEndingSignals } from "../../base/ending-signals.js";
import { endNow, EXIT_CODES } from "../../base/exit-codes.js";

/** The responses in progress, and whether they are the last ones. */
export class UnderWay {
  readonly #responses = new Set<ServerResponse>();
  #isEnding = false;

  /** Whether the service is shutting down: it finishes current requests. */
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

  /** Ends the responses that were waiting for their turn on a closed connection: Node informs only the next one. */
  abandon(connection: Duplex): void {
    for (const response of this.#responses) if (response.req.socket === connection) response.emit("close");
  }

  /** From now on every response makes its client open another connection for the next request. */
  end(): void {
    this.#isEnding = true;
    for (const response of this.#responses) announceEnd(response);
  }

  /** Whether a part of a response has already left on a connection. */
  hasBegunOn(connection: Duplex): boolean {
    return [...this.#responses].some((response) => response.socket === connection && response.headersSent);
  }
}

function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader("Connection", "close");
}

/** How long the database has to close, after the last request. */
const RELEASE_MILLISECONDS = 2_000;

/**
 * On SIGINT, SIGTERM or SIGHUP accepts no more requests, finishes the current ones, and then closes everything else.
 * A second signal ends the process at once.
 * @param graceSeconds how long current requests have to end.
 */
export function shutDownOnSignals(
  server: Server,
  underWay: UnderWay,
  graceSeconds: number,
  release: () => Promise<void>,
): void {
  const shutDown = () => {
    underWay.end();
    // The end of the process closes the rest.
    server.close(() => void release().catch(() => undefined));
    server.closeIdleConnections();
    // A connection without a request, or with an endless one, would keep the process running forever.
    setTimeout(() => {
      server.closeAllConnections();
    }, graceSeconds * 1_000).unref();
    // A silent database does not confirm the end of a connection.
    setTimeout(() => endNow(EXIT_CODES.done), graceSeconds * 1_000 + RELEASE_MILLISECONDS).unref();
  };
  onEndingSignals((signal, isFirst) => {
    if (isFirst) shutDown();
    else endAtOnce(signal);
  });
}
