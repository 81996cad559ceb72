import type { Request, Response } from "express";
import * as z from "zod";
import { fieldErrors, FAULTS_LISTED, type FieldError } from "../../base/field-errors.js";

/**
 * The problem types for clients. They are stable, so a client may act on them. docs/errors.md explains them, in the
 * same words.
 */
export const PROBLEMS = {
  "invalid-customer": {
    status: 400,
    title: "The customer is invalid",
    meaning: "fields of the customer are missing or invalid; `errors` lists them",
  },
  "invalid-request": {
    status: 400,
    title: "The request is invalid",
    meaning: "parameters, headers or the body are missing or invalid; `errors` lists them",
  },
  "impossible-request": {
    status: 422,
    title: "The request contradicts itself",
    meaning: "the last order is later than `as_of`, or the measure of the segment is missing",
  },
  "request-too-late": {
    status: 408,
    title: "The request came too slowly",
    meaning: "the body did not arrive in time; send it without pauses",
  },
  "body-too-large": {
    status: 413,
    title: "The body is too large",
    meaning: "send fewer customers, or use a campaign; send a very repetitive campaign without compression",
  },
  "unsupported-media-type": {
    status: 415,
    title: "The type of the body is not supported here",
    meaning: "the detail lists the supported types",
  },
  "request-too-large": {
    status: 431,
    title: "The request is too large",
    meaning: "the address and headers are too long",
  },
  "key-missing": {
    status: 401,
    title: "A key is required here",
    meaning: "send a valid key as `Authorization: Bearer <key>`",
  },
  "too-many-requests": {
    status: 429,
    title: "Rate limit exceeded for this key",
    meaning: "wait for the seconds in `Retry-After`, then send the request again",
  },
  "not-found": {
    status: 404,
    title: "There is nothing here",
    meaning: "there is nothing at this address",
  },
  "unknown-publication": {
    status: 404,
    title: "Nothing is published for this date",
    meaning: "the execution date is not published",
  },
  "unknown-run": {
    status: 404,
    title: "There is no such run",
    meaning: "no run with this id is recorded",
  },
  "unknown-table": {
    status: 404,
    title: "The publication has no such table",
    meaning: "the publication has no such table; the detail lists its tables",
  },
  "stale-cursor": {
    status: 409,
    title: "The cursor does not belong to this publication",
    meaning: "the date was published again, or withdrawn, between two pages; read from the start",
  },
  "no-country-answers": {
    status: 409,
    title: "The publication has no answers for countries",
    meaning:
      "the publication is older than answers for countries; run its date again, or leave `fallback` out",
  },
  "no-certainty": {
    status: 409,
    title: "The publication has no certainty for its answers",
    meaning:
      "the publication is older than the certainty of answers; run its date again, or leave `min_certainty` out",
  },
  "method-not-allowed": {
    status: 405,
    title: "This method is not allowed here",
    meaning: "the header `Allow` lists the allowed methods",
  },
  "precondition-failed": {
    status: 412,
    title: "The file has changed",
    meaning: "the file does not match `If-Match` or `If-Unmodified-Since`",
  },
  "range-not-satisfiable": {
    status: 416,
    title: "The file has no such part",
    meaning: "the file is shorter than the requested `Range`",
  },
  "expectation-failed": {
    status: 417,
    title: "The expectation of the request is not supported",
    meaning: "leave `Expect` out, or send `100-continue`",
  },
  "not-ready": {
    status: 503,
    title: "The service is shutting down",
    meaning: "the service is shutting down; ask another instance",
  },
  "no-room": {
    status: 503,
    title: "There is no room for another file",
    meaning: "the service has no room for another file; send it again in a few minutes",
  },
  "no-publication": {
    status: 503,
    title: "Nothing is published yet",
    meaning: "nothing is published yet",
  },
  "database-unavailable": {
    status: 503,
    title: "The database is not reachable",
    meaning: "the service cannot read the database now; try again later",
  },
  "internal-error": {
    status: 500,
    title: "This is a bug of the service",
    meaning: "a bug of the service; its log has the error",
  },
} as const;

export type ProblemType = keyof typeof PROBLEMS;

/** The common start of the type of every problem. */
const PROBLEM_URN = "urn:voucher-pipeline:problem:";

export const PROBLEM_TYPE = "application/problem+json";

/** A problem that ends a route. The response has the form of RFC 9457. */
export class Problem extends Error {
  override readonly name = "Problem";

  constructor(
    readonly type: ProblemType,
    /** The fault, and its remedy. */
    readonly detail: string,
    readonly errors: readonly FieldError[] = [],
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }
}

/** No publication can be served yet. */
export function noPublication(): Problem {
  return new Problem(
    "no-publication",
    "No execution date is published yet. Run the pipeline, then try again.",
  );
}

/** The path at which the service explains a problem type. */
export function helpAddress(type: ProblemType): string {
  return `/problems/${type}`;
}

/**
 * A problem in the form of RFC 9457.
 * @param prefix the path below which a proxy serves this service.
 */
export function problemDocument({ type, detail, errors }: Problem, prefix = ""): string {
  const { status, title } = PROBLEMS[type];
  const document = { type: PROBLEM_URN + type, title, status, detail, help: prefix + helpAddress(type) };
  return JSON.stringify(errors.length > 0 ? { ...document, errors } : document);
}

/** Responds with a problem document. */
export function sendProblem(response: Response, problem: Problem): void {
  response.set("Cache-Control", "no-store");
  response
    .status(PROBLEMS[problem.type].status)
    .type(PROBLEM_TYPE)
    .send(problemDocument(problem, response.req.prefix));
}

/** The schema of a problem document, by RFC 9457. */
export const problemSchema = z
  .object({
    type: z.enum(Object.keys(PROBLEMS).map((type) => PROBLEM_URN + type)),
    title: z.string(),
    status: z.int(),
    detail: z.string().meta({ description: "The problem, with its remedy" }),
    help: z.string().meta({
      description: "The address at which the service explains the type",
      example: "/problems/not-found",
    }),
    errors: z
      .array(z.object({ field: z.string(), message: z.string() }))
      .optional()
      .meta({ description: "The invalid fields" }),
  })
  .meta({ id: "Problem", description: "A problem of a request, or of the service" });

/** The problem of a method that is not allowed; a header of the response lists the allowed ones. */
export function refusedMethod(request: Request, response: Response, offered: readonly string[]): Problem {
  response.set("Allow", offered.join(", "));
  return new Problem(
    "method-not-allowed",
    `${request.method} is not allowed at ${request.path}. Use ${offered.join(" or ")}.`,
  );
}

/**
 * Checks a value by a schema.
 * @param place the start of the fields' names in messages.
 * @throws Problem invalid-request that names every invalid field.
 */
export function checked<Schema extends z.ZodType>(
  schema: Schema,
  value: unknown,
  place: string,
): z.output<Schema> {
  const parsed = schema.safeParse(value, { reportInput: true });
  if (parsed.success) return parsed.data;
  throw new Problem(
    "invalid-request",
    "Some fields are missing or invalid. Fix the fields listed under errors.",
    fieldErrors(parsed.error.issues.slice(0, FAULTS_LISTED), place).slice(0, FAULTS_LISTED),
  );
}
