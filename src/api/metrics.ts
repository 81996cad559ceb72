import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Publication } from "../voucher/publication.js";
import { confirmedSeconds, reasonNotReady } from "./readiness.js";
import type { Services } from "./services.js";

/** Most answers come from memory within a millisecond; the database has four seconds. */
const LATENCY_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/** What is counted at every request: no more than what costs a microsecond. */
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

  /** @param status as text; `aborted` where the client left before the answer ended. */
  observe(method: string, route: string, status: string, seconds: number): void {
    this.#requests.inc({ method, route, status });
    this.#seconds.observe({ route }, seconds);
  }
}

/** Adds what is known of the process, the publication and the database; all of it is computed when somebody asks. */
export function addServiceMetrics(registry: Registry, services: Services): void {
  const { store, now, underWay } = services;
  const gauge = (name: string, help: string, value: () => number | undefined) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        const current = value();
        // What is not known has no value: an alert should not take 0 seconds for an answer.
        if (current === undefined) this.remove();
        else this.set(current);
      },
    });
  collectDefaultMetrics({ register: registry });
  addPublicationInfo(registry, services);
  gauge("voucher_data_age_seconds", "Seconds since the execution date of the publication that answers", () =>
    ageSeconds(store.status.publication, now()),
  );
  gauge(
    "voucher_publication_confirmed_seconds",
    "Seconds since the database said that this publication is the newest one",
    () => confirmedSeconds(services),
  );
  gauge("voucher_ready", "1 where /readyz answers 200, 0 where it does not", () =>
    reasonNotReady(services) === undefined ? 1 : 0,
  );
  gauge("http_requests_under_way", "Requests that have not ended", () => underWay.count);
  addRefreshFailures(registry, services);
}

function addPublicationInfo(registry: Registry, { store }: Services): void {
  new Gauge({
    name: "voucher_publication_info",
    help: "1, with the publication that answers in the labels",
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
    help: "How often the database could not be asked for a newer publication",
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
