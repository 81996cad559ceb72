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
  const app = createApp(services);
  const server = createHttpServer(app, {
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: patience.headers,
    requestTimeout: patience.request,
    keepAliveTimeout: patience.keepAlive,
    connectionsCheckingInterval: Math.min(CHECKED_EVERY_MILLISECONDS, patience.headers),
    // Node would answer without a word of what is wrong.
    requireHostHeader: false,
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
  // Node would answer both without a word of what is wrong.
  server.on("checkExpectation", app);
  server.on("connect", (_request, socket: Socket) => {
    socket.end(answerOf(new Problem("method-not-allowed", "CONNECT is not allowed here.")));
  });
  answerBrokenRequests(server, services.underWay);
  return server;
}

/**
 * A server whose requests and responses are Express's from the start. Express makes them its own by changing the prototype of
 * each one, which has V8 give up what it has learnt of them: on Node 20 that cost more than all the rest of a request.
 */
function createHttpServer(app: Express, options: ServerOptions = {}): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, app.request);
  Object.setPrototypeOf(AppResponse.prototype, app.response);
  // Express now finds the prototype that it would set.
  app.request = AppRequest.prototype as unknown as Express["request"];
  app.response = AppResponse.prototype as unknown as Express["response"];
  return createServer({ ...options, IncomingMessage: AppRequest, ServerResponse: AppResponse }, app);
}

/** Answers what is no HTTP, or never comes to its end, and so never reaches a route, with a problem document as well. */
function answerBrokenRequests(server: Server, underWay: UnderWay): void {
  server.on("clientError", (error, socket) => {
    // What would be written into an answer that has begun, its client would take for a part of it.
    if (!socket.writable || underWay.hasBegunOn(socket)) {
      socket.destroy();
      return;
    }
    socket.end(answerOf(problemOf(error)), () => {
      // Who does not hear that it is over would keep the connection.
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
