import {
  createServer,
  IncomingMessage,
  type Server,
  type ServerOptions,
  ServerResponse,
  STATUS_CODES,
} from "node:http";
import type { Socket } from "node:net";
import type { Express } from "express";
import { systemCodeOf } from "../../base/errors.js";
import { createApp } from "./app.js";
import { SECURITY_HEADERS } from "./guards.js";
import { Problem, PROBLEM_TYPE, problemDocument, PROBLEMS } from "./problems.js";
import type { Services } from "./services.js";
import type { UnderWay } from "./shut-down.js";

/** The time limits for clients, in milliseconds. */
export interface Patience {
  /** For the headers of a request. */
  readonly headers: number;
  /** For a whole request. A campaign may send customers for minutes; JSON has its own limit. */
  readonly request: number;
  /** Between two requests on a connection. */
  readonly keepAlive: number;
  /** Without a byte in either direction during a request: a client that does not read its response. */
  readonly silence: number;
}

const PATIENCE: Patience = {
  headers: 10_000,
  request: 600_000,
  // Longer than the 60 s of load balancers. Otherwise they would send a request on a connection that is just closing.
  keepAlive: 65_000,
  silence: 120_000,
};

/** The address and the headers together. */
const MAX_HEADER_BYTES = 16_384;
const CHECKED_EVERY_MILLISECONDS = 1_000;

/**
 * A server that no client can block. The limit of connections is the system's limit of open files: a lower limit
 * would first block the probes.
 */
export function createApiServer(services: Services, patience = PATIENCE): Server {
  const app = createApp(services);
  const server = createHttpServer(app, {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.keepAlive,
    connectionsCheckingInterval: Math.min(CHECKED_EVERY_MILLISECONDS, patience.headers),
    // Node would respond without an explanation.
    requireHostHeader: false,
  });
  server.setTimeout(patience.silence);
  server.on("connection", (socket) => {
    // After Node has informed the response that was next.
    socket.once("close", () =>
      setImmediate(() => {
        services.underWay.abandon(socket);
      }),
    );
  });
  // Node would respond to both without an explanation.
  server.on("checkExpectation", app);
  server.on("connect", (_request, socket: Socket) => {
    socket.end(answerOf(new Problem("method-not-allowed", "CONNECT is not allowed here.")));
  });
  answerBrokenRequests(server, services.underWay);
  return server;
}

/**
 * A server whose requests and responses have Express's types from the start. Otherwise Express changes the prototype
 * of each one, and V8 loses its optimisations: on Node 20 that cost more than all the rest of a request.
 */
function createHttpServer(app: Express, options: ServerOptions = {}): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  // Express now finds the expected prototype.
  app.request = AppRequest.prototype as unknown as Express["request"];
  app.response = AppResponse.prototype as unknown as Express["response"];
  return createServer({ ...options, IncomingMessage: AppRequest, ServerResponse: AppResponse }, app);
}

/** Sends a problem document for invalid or incomplete HTTP, which never reaches a route. */
function answerBrokenRequests(server: Server, underWay: UnderWay): void {
  server.on("clientError", (error, socket) => {
    // After the start of a response, its client would take further text for a part of it.
    if (!socket.writable || underWay.hasBegunOn(socket)) {
      socket.destroy();
      return;
    }
    socket.end(answerOf(problemOf(error)), () => {
      // A client that does not notice the end would keep the connection.
      socket.destroy();
    });
  });
}

function problemOf(error: Error): Problem {
  switch (systemCodeOf(error)) {
    case "HPE_HEADER_OVERFLOW":
      return new Problem("request-too-large", "The address and headers are too long.");
    case "ERR_HTTP_REQUEST_TIMEOUT":
      return new Problem("request-too-late", "The request did not arrive in time.");
    default:
      return new Problem("invalid-request", "The request is not valid HTTP.");
  }
}

function answerOf(problem: Problem): string {
  const document = problemDocument(problem);
  const { status } = PROBLEMS[problem.type];
  const headers = {
    "Content-Type": PROBLEM_TYPE,
    "Content-Length": Buffer.byteLength(document).toString(),
    "Cache-Control": "no-store",
    ...SECURITY_HEADERS,
    Connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${lines.join("")}\r\n${document}`;
}
