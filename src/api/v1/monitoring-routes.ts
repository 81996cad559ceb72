import { collectDefaultMetrics, Counter, Gauge, type Registry } from "prom-client";
import * as z from "zod";
import type { Publication } from "../../voucher/publication-identity.js";
import { JSON_TYPE } from "../http/bodies.js";
import { confirmedSeconds } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import { noPublication, Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { publicationDocument, publicationSchema } from "./answer-schema.js";
import { tellDeprecated } from "./deprecations.js";

const readySchema = z
  .object({
    status: z.literal("ready"),
    publication: publicationSchema,
    confirmed_seconds: z
      .int()
      .meta({ description: "Seconds since the database confirmed that this is the newest publication" }),
  })
  .meta({ id: "Ready" });

/** The probes: is the process alive, and can it answer? */
export function health(services: Services): Operation[] {
  return [
    operation({
      method: "get",
      path: "/livez",
      name: "isAlive",
      summary: "Whether the process is alive",
      tag: "Operations",
      answers: { [JSON_TYPE]: { schema: z.object({ status: z.literal("alive") }) } },
      handle: (_input, _request, response) => {
        response.set("Cache-Control", "no-store");
        response.json({ status: "alive" });
      },
    }),
    operation({
      method: "get",
      path: "/readyz",
      name: "isReady",
      summary: "Whether a publication is loaded, and the database has confirmed it within the limit",
      tag: "Operations",
      answers: { [JSON_TYPE]: { schema: readySchema } },
      problems: ["no-publication", "not-ready"],
      handle: async (_input, _request, response) => {
        const { publication } = await services.store.newest();
        const reason = reasonNotReady(services);
        if (reason !== undefined) throw reason;
        response.set("Cache-Control", "no-store");
        tellDeprecated(response);
        response.json({
          status: "ready",
          publication: publicationDocument(publication),
          confirmed_seconds: Math.floor(confirmedSeconds(services) ?? 0),
        } satisfies z.input<typeof readySchema>);
      },
    }),
  ];
}

/** The reason why the service should get no requests now; undefined if it is ready. */
function reasonNotReady(services: Services): Problem | undefined {
  if (services.underWay.isEnding)
    return new Problem("not-ready", "The service is shutting down. Ask another instance.");
  if (services.store.status.publication === undefined) return noPublication();
  const seconds = Math.floor(confirmedSeconds(services) ?? Infinity);
  return seconds > services.staleSeconds ? silent(seconds) : undefined;
}

function silent(seconds: number): Problem {
  return new Problem(
    "database-unavailable",
    `The database has not responded for ${seconds.toString()} seconds. The answers are from then.`,
  );
}

/** `GET /metrics`, for Prometheus. */
export function readMetrics(services: Services): Operation {
  const { registry } = services.metrics;
  addServiceMetrics(registry, services);
  return operation({
    method: "get",
    path: "/metrics",
    name: "readMetrics",
    summary: "Metrics of requests, the publication and the process, for Prometheus",
    tag: "Operations",
    query: z.looseObject({}),
    answers: { "text/plain": { schema: z.string() } },
    handle: async (_input, _request, response) => {
      const text = await registry.metrics();
      response.set("Cache-Control", "no-store");
      response.set("Content-Type", registry.contentType).send(text);
    },
  });
}

/** Adds metrics of the process, the publication and the database. All of them are computed at each request. */
function addServiceMetrics(registry: Registry, services: Services): void {
  const { store, now, underWay } = services;
  const gauge = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const current = value();
        // An unknown value is left out: an alert should not take 0 seconds for a value.
        if (current === undefined) this.remove();
        else this.set(current);
      },
    });
  collectDefaultMetrics({ register: registry });
  addPublicationInfo(registry, services);
  gauge("voucher_data_age_seconds", "Seconds since the execution date of the served publication", () =>
    ageSeconds(store.status.publication, now()),
  );
  gauge(
    "voucher_publication_confirmed_seconds",
    "Seconds since the database confirmed that this publication is the newest",
    () => confirmedSeconds(services),
  );
  gauge("voucher_ready", "1 if /readyz answers 200, 0 if not", () =>
    reasonNotReady(services) === undefined ? 1 : 0,
  );
  gauge("http_requests_under_way", "Requests that have not ended", () => underWay.count);
  addRefreshFailures(registry, services);
}

function addPublicationInfo(registry: Registry, { store }: Services): void {
  new Gauge({
    name: "voucher_publication_info",
    help: "1, with the served publication in the labels",
    labelNames: ["execution_date", "run_id", "sql_version"],
    registers: [registry],
    collect() {
      this.reset();
      const { publication } = store.status;
      if (publication === undefined) return;
      const { executionDate, runId, sqlVersion } = publication;
      this.set({ execution_date: executionDate.iso, run_id: runId, sql_version: sqlVersion }, 1);
    },
  });
}

function addRefreshFailures(registry: Registry, { store }: Services): void {
  new Counter({
    name: "voucher_refresh_failures_total",
    help: "Failed attempts to read the newest publication from the database",
    registers: [registry],
    collect() {
      this.reset();
      this.inc(store.status.failures);
    },
  });
}

function ageSeconds(publication: Publication | undefined, now: Date): number | undefined {
  if (publication === undefined) return undefined;
  return (now.getTime() - new Date(publication.executionDate.iso).getTime()) / 1_000;
}
