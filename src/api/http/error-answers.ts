import type { ErrorRequestHandler, Request } from "express";
import { PipelineError } from "../../base/errors.js";
import { bodyProblem } from "./bodies.js";
import { Problem, sendProblem } from "./problems.js";
import { ClientGone } from "./streaming.js";

/** The one place where an error becomes an answer. Express knows it by its four parameters. */
export const answerError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (error instanceof ClientGone) return;
  const problem = problemOf(error);
  logFault(request, problem, error);
  if (response.headersSent) {
    // Half an answer is none: Express breaks the connection off, so that the client sees it.
    next(error);
    return;
  }
  // Who was not read to the end cannot be answered again on the same connection.
  if (!request.complete) response.set("Connection", "close");
  sendProblem(response, problem);
};

/** Logs what whoever runs the service has to know of; what clients do wrong is in the access log. */
export function logFault(request: Request, { type }: Problem, error: unknown): void {
  if (type === "internal-error") request.log.error(error);
  if (type === "database-unavailable") request.log.warn(error);
}

/** What an error is to a client. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PipelineError) {
    return new Problem(
      "database-unavailable",
      "The database of the answers cannot be reached; try again later.",
      [],
      { cause: error },
    );
  }
  // Express throws an error of its own for an address that cannot be decoded.
  if (error instanceof URIError) return new Problem("invalid-request", "The address cannot be decoded.");
  return bodyProblem(error) ?? new Problem("internal-error", "The service failed; the fault is in its log.");
}
