import { randomUUID } from "node:crypto";
import type { Express, Request, RequestHandler, Response } from "express";
import type { Logger } from "pino";
import { Counter, Histogram, Registry } from "prom-client";
import type { SpanSender, TimedSpan } from "../../base/otlp.js";
import { parseTraceparent, type TraceContext } from "../../base/trace-context.js";
import type { ApiKey } from "./key-ring.js";
import type { UnderWay } from "./shut-down.js";

declare module "http" {
  /** The service's own data of a request. */
  interface IncomingMessage {
    /** The id of the request in the log and in the response. */
    id: string;
    /** The client's place in a trace, if it sent one. */
    trace: TraceContext | undefined;
    /** The log, where each line has the id of the request. */
    readonly log: Logger;
    /** The key of the request, if one was required. */
    key: ApiKey | undefined;
  }
}

const ABORTED = "aborted";

/** The receivers of the data of every request. */
interface Observed {
  readonly log: Logger;
  readonly metrics: RequestMetrics;
  readonly underWay: UnderWay;
  readonly spans?: SpanSender | undefined;
}

/**
 * Observes every request once, at its start and at its end: for its id, the log, the metrics, traces and the
 * shutdown.
 * @param routeOfPath the route of a request that no route has handled: a rejected request, or one for a file.
 */
export function observe(
  { log, metrics, underWay, spans }: Observed,
  routeOfPath: (path: string) => string | undefined = () => undefined,
): RequestHandler {
  return (request, response, next) => {
    const began = performance.now();
    request.id = requestIdOf(request);
    request.trace = parseTraceparent(traceparentOf(request));
    response.setHeader(REQUEST_ID_HEADER, request.id);
    underWay.add(response);
    response.once("close", () => {
      const milliseconds = performance.now() - began;
      const route = routeName(request) ?? routeOfPath(pathOf(request.originalUrl)) ?? UNKNOWN;
      // A truncated body is an error of the request. Then there may be no client left for the response.
      const isAborted = !response.writableFinished || request.errored !== null;
      underWay.remove(response);
      const status = isAborted ? ABORTED : response.statusCode.toString();
      metrics.observe(request.method, route, status, milliseconds / 1_000);
      logRequest(log, request, response, { route, milliseconds, isAborted });
      spans?.add(spanOf(request, { route, status, began, milliseconds }), request.trace);
    });
    next();
  };
}

/** Gives requests their own log, where each line has the id of the request. It is created at the first message. */
export function addRequestLog(app: Express, { log }: Pick<Observed, "log">): void {
  Object.defineProperty(app.request, "log", {
    get(this: Express["request"]) {
      return log.child({ request: this.id, trace_id: this.trace?.traceId });
    },
  });
}

export const REQUEST_ID_HEADER = "X-Request-Id";

/** The characters that are safe in a log and in a header: none of them ends a line or a text. */
const SANE = /^[A-Za-z0-9._-]{1,64}$/;

/** The id of a request: the one from its header, or a new one. */
function requestIdOf(request: Request): string {
  const given = request.headers["x-request-id"];
  return typeof given === "string" && SANE.test(given) ? given : randomUUID();
}

/** If a header came several times, Node gives a list. */
function traceparentOf({ headers: { traceparent } }: Request): string | undefined {
  return typeof traceparent === "string" ? traceparent : undefined;
}

/**
 * The span of a request, by the semantic conventions of OpenTelemetry. Without the query, because it describes a
 * customer.
 */
function spanOf(
  { id, method, originalUrl }: Request,
  {
    route,
    status,
    began,
    milliseconds,
  }: { route: string; status: string; began: number; milliseconds: number },
): TimedSpan {
  const begun = performance.timeOrigin + began;
  const isFault = status === ABORTED || status.startsWith("5");
  return {
    name: route === UNKNOWN ? method : `${method} ${route}`,
    begun,
    ended: begun + milliseconds,
    fault: isFault ? status : undefined,
    attributes: {
      "http.request.method": method,
      "url.path": pathOf(originalUrl),
      ...(route !== UNKNOWN && { "http.route": route }),
      ...(status !== ABORTED && { "http.response.status_code": Number(status) }),
      "voucher.request_id": id,
    },
  };
}

/** The route of a request that no route has handled. */
const UNKNOWN = "unknown";

const names = new Map<string, string>();

/**
 * The declared path of a request, for example `/v1/tables/{table}`, but never the address itself: the number of
 * addresses has no limit.
 * @returns undefined if no route has handled it, or one with several paths.
 */
function routeName({ route }: Request): string | undefined {
  const { path } = (route ?? {}) as { path?: unknown };
  return typeof path === "string" && !path.includes("*") ? (names.get(path) ?? named(path)) : undefined;
}

/** The number of names is limited by the declared routes. */
function named(path: string): string {
  const name = path.replace(/:([a-z_]+)/g, "{$1}");
  names.set(path, name);
  return name;
}

/**
 * Writes the line of one request, see "Running the api" in docs/operating.md. Without the query, because it describes
 * a customer. This code writes the line because pino-http took four times as long.
 */
function logRequest(
  log: Logger,
  request: Request,
  response: Response,
  { route, milliseconds, isAborted }: { route: string; milliseconds: number; isAborted: boolean },
): void {
  log.info(
    {
      request: request.id,
      trace_id: request.trace?.traceId,
      method: request.method,
      path: pathOf(request.originalUrl),
      route,
      status: response.statusCode,
      milliseconds: Math.round(milliseconds * 1_000) / 1_000,
      bytes: bytesOf(response),
      key: request.key?.name,
    },
    isAborted ? "the client left before the answer ended" : "answered",
  );
}

/** The length of a response, if it was known at its start. */
function bytesOf(response: Response): number | undefined {
  const length = response.getHeader("Content-Length");
  return length === undefined ? undefined : Number(length);
}

function pathOf(address: string): string {
  const end = address.indexOf("?");
  return end === -1 ? address : address.slice(0, end);
}

/** Most responses come from memory within a millisecond; the database has four seconds. */
const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** The metrics of every request: only those that cost less than a microsecond. */
export class RequestMetrics {
  readonly registry = new Registry();
  readonly #requests = new Counter({
    name: "http_requests_total",
    help: "Requests that have ended, by method, declared route and status",
    labelNames: ["method", "route", "status"],
    registers: [this.registry],
  });
  readonly #seconds = new Histogram({
    name: "http_request_duration_seconds",
    help: "From a request's arrival to the end of its answer, by declared route",
    labelNames: ["route"],
    buckets: LATENCY_SECONDS,
    registers: [this.registry],
  });

  /** @param status as text; `aborted` if the client left before the end of the response. */
  observe(method: string, route: string, status: string, seconds: number): void {
    this.#requests.inc({ method, route, status });
    this.#seconds.observe({ route }, seconds);
  }
}
