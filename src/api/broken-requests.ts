import { STATUS_CODES, type Server } from "node:http";
import { systemCodeOf } from "../base/errors.js";
import { Problem, PROBLEM_TYPE, problemDocument, PROBLEMS } from "./problem.js";
import { SECURITY_HEADERS } from "./security-headers.js";
import type { UnderWay } from "./under-way.js";

/** Answers what is no HTTP, or never comes to its end, and so never reaches a route, with a problem document as well. */
export function answerBrokenRequests(server: Server, underWay: UnderWay): void {
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
      return new Problem("request-too-late", "The request did not come to its end in time.");
    default:
      return new Problem("invalid-request", "The request is no HTTP that can be read.");
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
