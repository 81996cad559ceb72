import type { Server } from "node:http";
import { createApp } from "./app.js";
import { answerBrokenRequests } from "./broken-requests.js";
import { createHttpServer } from "./http-server.js";
import type { Services } from "./services.js";

/** How long clients may take, in milliseconds. */
export interface Patience {
  /** Until the headers of a request are there. */
  readonly headers: number;
  /** Until a request is there to its end. A campaign may send customers for minutes; JSON has a limit of its own. */
  readonly request: number;
  /** Between two requests on a connection. */
  readonly keepAlive: number;
  /** Without a byte in either direction while a request is under way: a client that does not read its answer. */
  readonly silence: number;
}

const PATIENCE: Patience = {
  headers: 10_000,
  request: 600_000,
  // Longer than the 60 s of load balancers, which would else send a request on a connection that is just being closed.
  keepAlive: 65_000,
  silence: 120_000,
};

/** The address and the headers together. */
const MAX_HEADER_BYTES = 16_384;
const CHECKED_EVERY_MILLISECONDS = 1_000;

/**
 * A server that no client can hold up. How many connections there may be is the system's limit of open files: one of our own
 * would shut out the probes first.
 */
export function createApiServer(services: Services, patience = PATIENCE): Server {
  const server = createHttpServer(createApp(services), {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.keepAlive,
    connectionsCheckingInterval: Math.min(CHECKED_EVERY_MILLISECONDS, patience.headers),
  });
  server.setTimeout(patience.silence);
  server.on("connection", (socket) => {
    // After Node has told the answer whose turn it was.
    socket.once("close", () =>
      setImmediate(() => {
        services.underWay.abandon(socket);
      }),
    );
  });
  answerBrokenRequests(server, services.underWay);
  return server;
}
