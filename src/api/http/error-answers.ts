import type { ErrorRequestHandler, Request } from "express";
import { PipelineError } from "../../base/errors.js";
import { bodyProblem } from "./bodies.js";
import { prefersPage } from "./guards.js";
import { sendProblemPage } from "./problem-pages.js";
import { Problem, sendProblem } from "./problems.js";
import { ClientGone } from "./streaming.js";

/** The only place that turns an error into a response. Express recognises it by its four parameters. */
export const answerError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (error instanceof ClientGone) return;
  const problem = problemOf(error);
  logFault(request, problem, error);
  if (response.headersSent) {
    // A part of a response is not enough: Express closes the connection, so that the client notices it.
    next(error);
    return;
  }
  // If a request was not read to its end, its connection cannot be used for another response.
  if (!request.complete) response.set("Connection", "close");
  if (prefersPage(request)) sendProblemPage(request, response, problem);
  else sendProblem(response, problem);
};

/** Logs faults that the operator must know; faults of clients are in the access log. */
export function logFault(request: Request, { type }: Problem, error: unknown): void {
  if (type === "internal-error") request.log.error(error);
  if (type === "database-unavailable") request.log.warn(error);
}

/** The problem of an error, for the client. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PipelineError) {
    return new Problem(
      "database-unavailable",
      "The service cannot reach the database of the answers. Try again later.",
      [],
      { cause: error },
    );
  }
  // Express throws its own error for an address that is not decodable.
  if (error instanceof URIError)
    return new Problem("invalid-request", "The service cannot decode the address.");
  return (
    bodyProblem(error) ??
    fileProblem(error) ??
    new Problem("internal-error", "The service failed. Its log has the error.")
  );
}

/** The problem of a request for a file; undefined for an error that is not about files. */
function fileProblem(error: unknown): Problem | undefined {
  const { status } = error as { status?: unknown };
  if (status === 412)
    return new Problem("precondition-failed", "The file does not match the precondition of the request.");
  if (status === 416)
    return new Problem("range-not-satisfiable", "The file ends before the requested range.");
  return undefined;
}
