import type { Response } from "express";

/** The kinds of problem a client can meet. Each is a stable type: a client may act on it. docs/api.md explains them. */
export const PROBLEMS = {
  "invalid-customer": { status: 400, title: "The customer cannot be read" },
  "invalid-request": { status: 400, title: "The request cannot be read" },
  "impossible-request": { status: 422, title: "The request contradicts itself" },
  "request-too-late": { status: 408, title: "The request came too slowly" },
  "body-too-large": { status: 413, title: "The body is too large" },
  "unsupported-media-type": { status: 415, title: "The body is of a kind that is not read here" },
  "request-too-large": { status: 431, title: "The request is too large" },
  "key-missing": { status: 401, title: "A key is needed here" },
  "too-many-requests": { status: 429, title: "The key has asked too often" },
  "not-found": { status: 404, title: "There is nothing here" },
  "unknown-publication": { status: 404, title: "Nothing is published for this date" },
  "unknown-table": { status: 404, title: "The publication has no such table" },
  "stale-cursor": { status: 409, title: "The cursor is of no page of this publication" },
  "no-country-answers": { status: 409, title: "The publication has no answers for countries" },
  "method-not-allowed": { status: 405, title: "This method is not offered here" },
  "not-ready": { status: 503, title: "The service is ending" },
  "no-publication": { status: 503, title: "Nothing is published yet" },
  "database-unavailable": { status: 503, title: "The database cannot be reached" },
  "internal-error": { status: 500, title: "This is a bug of the service" },
} as const;

export type ProblemType = keyof typeof PROBLEMS;

/** One fault of the request. */
export interface FieldError {
  /** The field, as `customer.total_orders`. */
  readonly field: string;
  /** What is wrong with it, and what would be right. */
  readonly message: string;
}

/** A problem that a route ends with. It is answered as RFC 9457 says. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly type: ProblemType,
    /** What is wrong, and what to do. */
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

/** There is nothing to answer from yet. */
export function noPublication(): Problem {
  return new Problem(
    "no-publication",
    "No execution date is published yet; run the pipeline, then ask again.",
  );
}

/** Answers with a problem document. */
export function sendProblem(response: Response, problem: Problem): void {
  response.set("Cache-Control", "no-store");
  response.status(PROBLEMS[problem.type].status).type(PROBLEM_TYPE).send(problemDocument(problem));
}

/** What the type of every problem begins with. */
export const PROBLEM_URN = "urn:voucher-pipeline:problem:";

export const PROBLEM_TYPE = "application/problem+json";

/** A problem as RFC 9457 writes it. */
export function problemDocument({ type, detail, errors }: Problem): string {
  const { status, title } = PROBLEMS[type];
  const document = { type: PROBLEM_URN + type, title, status, detail };
  return JSON.stringify(errors.length > 0 ? { ...document, errors } : document);
}
