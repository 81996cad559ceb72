import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

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
