import type { ErrorRequestHandler, Request } from "express";
import { PipelineError } from "../../base/errors.js";
import { bodyProblem } from "./bodies.js";
import { prefersPage } from "./guards.js";
import { sendProblemPage } from "./problem-pages.js";
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
  if (prefersPage(request)) sendProblemPage(request, response, problem);
  else sendProblem(response, problem);
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
      "The service cannot reach the database of the answers. Try again later.",
      [],
      { cause: error },
    );
  }
  // Express throws an error of its own for an address that cannot be decoded.
  if (error instanceof URIError)
    return new Problem("invalid-request", "The service cannot decode the address.");
  return (
    bodyProblem(error) ??
    fileProblem(error) ??
    new Problem("internal-error", "The service failed. Its log has the error.")
  );
}

/** What is wrong with a request for a file; undefined for an error that is not about files. */
function fileProblem(error: unknown): Problem | undefined {
  const { status } = error as { status?: unknown };
  if (status === 412)
    return new Problem("precondition-failed", "The file does not match the precondition of the request.");
  if (status === 416)
    return new Problem("range-not-satisfiable", "The file ends before the requested range.");
  return undefined;
}
