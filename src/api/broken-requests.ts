import { STATUS_CODES, type Server } from "node:http";
import { systemCodeOf } from "../errors.js";
import { Problem, PROBLEM_TYPE, problemDocument, PROBLEMS, type ProblemType } from "./problem.js";

/** Answers what is no HTTP, and so never reaches a route, with a problem document as well. */
export function answerBrokenRequests(server: Server): void {
  server.on("clientError", (error, socket) => {
    if (!socket.writable) {
      socket.destroy();
      return;
    }
    const isTooLarge = systemCodeOf(error) === "HPE_HEADER_OVERFLOW";
    const type: ProblemType = isTooLarge ? "request-too-large" : "invalid-request";
    const detail = isTooLarge
      ? "The address and headers are too long."
      : "The request is no HTTP that can be read.";
    const document = problemDocument(new Problem(type, detail));
    const { status } = PROBLEMS[type];
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\nContent-Type: ${PROBLEM_TYPE}\r\n` +
        `Content-Length: ${Buffer.byteLength(document)}\r\nConnection: close\r\n\r\n${document}`,
    );
  });
}
