import path from "node:path";
import express, { type Express, type Request, type RequestHandler, type Response } from "express";
import * as z from "zod";
import {
  createDocument,
  type ZodOpenApiMediaTypeObject,
  type ZodOpenApiOperationObject,
  type ZodOpenApiParameterObject,
  type ZodOpenApiPathsObject,
} from "zod-openapi";
import { projectFolder } from "../../base/files.js";
import type { Answers } from "../../voucher/published-answers.js";
import { JSON_TYPE, readJson } from "./bodies.js";
import { withExamples } from "./examples.js";
import { checked, Problem, PROBLEM_TYPE, PROBLEMS, problemSchema, type ProblemType } from "./problems.js";

/** An operation of the service, for Express and for OpenAPI. */
export interface Operation {
  readonly method: "get" | "post";
  /** In the form of OpenAPI: `/v1/tables/{table}`. */
  readonly path: string;
  readonly documentation: ZodOpenApiOperationObject;
  readonly handlers: readonly RequestHandler[];
}

/** The checked inputs of a request. */
interface Input<Query extends z.ZodObject, Path extends z.ZodObject, Body extends z.ZodType> {
  readonly query: z.output<Query>;
  readonly path: z.output<Path>;
  readonly body: z.output<Body>;
}

/** The declaration of an operation. The same schemas are for checks, types and documentation. */
interface Declaration<Query extends z.ZodObject, Path extends z.ZodObject, Body extends z.ZodType> {
  readonly method: Operation["method"];
  readonly path: string;
  readonly name: string;
  readonly summary: string;
  readonly description?: string;
  readonly tag: string;
  readonly query?: Query;
  readonly parameters?: Path;
  /** Parameters that the operation checks itself. */
  readonly documentedParameters?: readonly ZodOpenApiParameterObject[];
  /** A body of JSON. */
  readonly body?: Body;
  /** A body that the operation reads itself, by media type. */
  readonly stream?: Record<string, ZodOpenApiMediaTypeObject>;
  /** The responses, by media type. */
  readonly answers: Record<string, ZodOpenApiMediaTypeObject>;
  /** The problems that it can end with, in addition to those of every operation. */
  readonly problems?: readonly ProblemType[];
  /** Whether an unchanged response is a 304. */
  readonly isConditional?: boolean;
  handle(input: Input<Query, Path, Body>, request: Request, response: Response): Promise<void> | void;
}

const NONE = z.strictObject({});

/** The problems that every operation can end with. */
const COMMON_PROBLEMS: readonly ProblemType[] = [
  "invalid-request",
  "request-too-late",
  "request-too-large",
  "database-unavailable",
  "internal-error",
];
const BODY_PROBLEMS: readonly ProblemType[] = ["body-too-large", "unsupported-media-type"];

/** Creates an operation from its declaration. */
export function operation<
  Query extends z.ZodObject = typeof NONE,
  Path extends z.ZodObject = typeof NONE,
  Body extends z.ZodType = z.ZodUndefined,
>(declared: Declaration<Query, Path, Body>): Operation {
  const { method, path } = declared;
  return {
    method,
    path,
    documentation: documentationOf(declared),
    handlers: [...(declared.body === undefined ? [] : readJson), handlerOf(declared)],
  };
}

function handlerOf<Query extends z.ZodObject, Path extends z.ZodObject, Body extends z.ZodType>(
  declared: Declaration<Query, Path, Body>,
): RequestHandler {
  return async (request, response) => {
    const input = {
      query:
        declared.documentedParameters === undefined
          ? checked(declared.query ?? NONE, onceEach(request.query), "")
          : {},
      path: checked(declared.parameters ?? NONE, request.params, ""),
      body: declared.body === undefined ? undefined : checked(declared.body, request.body, "body"),
    } as Input<Query, Path, Body>;
    await declared.handle(input, request, response);
  };
}

function documentationOf<Query extends z.ZodObject, Path extends z.ZodObject, Body extends z.ZodType>(
  declared: Declaration<Query, Path, Body>,
): ZodOpenApiOperationObject {
  const {
    name,
    summary,
    description,
    tag,
    query,
    parameters,
    body,
    stream,
    answers,
    problems = [],
  } = declared;
  const hasBody = body !== undefined || stream !== undefined;
  const all = [...COMMON_PROBLEMS, ...(hasBody ? BODY_PROBLEMS : []), ...problems];
  return {
    operationId: name,
    summary,
    ...(description === undefined ? {} : { description }),
    tags: [tag],
    parameters: [...(declared.documentedParameters ?? [])],
    requestParams: {
      ...(query === undefined ? {} : { query }),
      ...(parameters === undefined ? {} : { path: parameters }),
    },
    ...(hasBody
      ? {
          requestBody: {
            required: true,
            content: stream ?? { [JSON_TYPE]: { schema: body ?? NONE } },
          },
        }
      : {}),
    responses: {
      "200": { description: "The answer", content: answers },
      ...(declared.isConditional === true
        ? { "304": { description: "Nothing has changed since the answer with the ETag of If-None-Match" } }
        : {}),
      ...problemResponses(all),
    },
  };
}

/**
 * Documents the problems that an operation can end with. There is one response for each status: several problems can
 * share one.
 */
function problemResponses(types: readonly ProblemType[]): ZodOpenApiOperationObject["responses"] {
  const byStatus = new Map<number, ProblemType[]>();
  for (const type of types)
    byStatus.set(PROBLEMS[type].status, [...(byStatus.get(PROBLEMS[type].status) ?? []), type]);
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status.toString() as `${1 | 2 | 3 | 4 | 5}${string}`,
      {
        description: ofStatus.map((type) => `${type}: ${PROBLEMS[type].title}`).join("; "),
        content: { [PROBLEM_TYPE]: { schema: problemSchema } },
      },
    ]),
  );
}

/** Checks that no parameter is given twice. */
function onceEach(parameters: Record<string, unknown>): Record<string, unknown> {
  const twice = Object.entries(parameters).filter(([, value]) => Array.isArray(value));
  if (twice.length === 0) return parameters;
  throw new Problem(
    "invalid-request",
    "A parameter is given more than once.",
    twice.map(([field]) => ({ field, message: "must be given once" })),
  );
}

/** The name of the security scheme in the document. */
const KEY = "key";

/**
 * The OpenAPI document of the service, from the schemas of its checks.
 * @param asksForKey whether an operation requires a key.
 * @param prefix the path below which a proxy serves this service.
 */
function openApiDocument(
  operations: readonly Operation[],
  asksForKey: (operation: Operation) => boolean,
  prefix: string,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of operations) {
    const { path, method, documentation } = operation;
    const documented = asksForKey(operation) ? withKey(documentation) : documentation;
    paths[path] = { ...paths[path], [method]: documented };
  }
  const hasKeys = operations.some(asksForKey);
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Voucher service",
      version: "1",
      description:
        "Gives the voucher amount that is used most in a customer's country and segment, from the newest publication of the pipeline.",
    },
    servers: [{ url: prefix === "" ? "/" : prefix }],
    paths,
    ...(hasKeys ? { components: { securitySchemes: { [KEY]: { type: "http", scheme: "bearer" } } } } : {}),
  });
}

function withKey(documentation: Operation["documentation"]): Operation["documentation"] {
  return {
    ...documentation,
    security: [{ [KEY]: [] }],
    responses: {
      ...documentation.responses,
      ...problemResponses(["key-missing", "too-many-requests"]),
    },
  };
}

/**
 * `GET /openapi.json`, and `GET /docs`: the same document to read and to try, without any file from other servers.
 * @param newest the answers for examples; undefined if there are none.
 */
export function addDocumentation(
  app: Express,
  operations: readonly Operation[],
  asksForKey: (operation: Operation) => boolean,
  newest: () => Promise<Answers | undefined>,
): void {
  let made:
    { readonly answers: Answers | undefined; readonly prefix: string; readonly text: string } | undefined;
  app.get("/openapi.json", async ({ prefix }, response) => {
    const answers = await newest();
    // Created at the first request for it: a service that starts has waiting requests.
    if (made === undefined || made.answers !== answers || made.prefix !== prefix) {
      const document = withExamples(openApiDocument(operations, asksForKey, prefix), answers);
      made = { answers, prefix, text: JSON.stringify(document) };
    }
    response.type("json").send(made.text);
  });
  app.get("/docs", (request, response, next) => {
    // Relative, so that it holds below any prefix.
    if (request.path === "/docs") response.redirect(301, "docs/");
    else next();
  });
  const folder = path.join(projectFolder(), "dist/api/docs");
  app.use("/docs", express.static(folder, { maxAge: "1h", redirect: false }));
}
