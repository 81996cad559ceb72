import compression from "compression";
import express, { type Express, type RequestHandler } from "express";
import { PAGES } from "../pages/addresses.js";
import { ASSETS } from "../pages/assets.js";
import { servePages } from "../pages/pages.js";
import { listAnswers } from "../v1/answers-routes.js";
import { priceCampaign } from "../v1/campaign-routes.js";
import { health, readMetrics } from "../v1/monitoring-routes.js";
import { mostUsedOfMany, mostUsedOfOne } from "../v1/most-used-routes.js";
import { hello, mostUsedVoucher } from "../v1/original-routes.js";
import { listChanges, listPublications, listSegments, readPublicationOf } from "../v1/publications-routes.js";
import { listRuns, readRun } from "../v1/runs-routes.js";
import { readTable } from "../v1/tables-routes.js";
import { answerError } from "./error-answers.js";
import {
  allowOrigins,
  expectReadableAddress,
  limitRate,
  needsKey,
  requireKey,
  secureAnswer,
  secureDocumentation,
} from "./guards.js";
import { addRequestLog, observe } from "./observing.js";
import { addDocumentation, type Operation } from "./operation.js";
import { explainProblem } from "./problem-pages.js";
import { Problem, refusedMethod } from "./problems.js";
import { readPrefix, trustProxies } from "./proxy.js";
import { routeFinder } from "./route-names.js";
import type { Services } from "./services.js";

/** All operations of the service. */
function operationsOf(services: Services): Operation[] {
  return [
    hello(),
    mostUsedVoucher(services),
    mostUsedOfOne(services),
    mostUsedOfMany(services),
    priceCampaign(services),
    listSegments(services),
    listAnswers(services),
    readTable(services),
    listPublications(services),
    readPublicationOf(services),
    listChanges(services),
    listRuns(services),
    readRun(services),
    ...health(services),
    readMetrics(services),
    explainProblem(),
  ];
}

/** The HTTP interface of the service. */
export function createApp(services: Services): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  // Duplicate parameters come as lists, and no parameter can become an object.
  app.set("query parser", "simple");
  trustProxies(app, services.trustProxy);
  addRequestLog(app, services);
  app.use(
    observe(services, routeFinder(app, [ASSETS, "/docs"])),
    secureAnswer,
    readPrefix,
    expectReadableAddress,
  );
  const { keys, keysFor, corsOrigins, now } = services;
  // Before the keys: a browser asks without a key whether it may send one.
  if (corsOrigins.length > 0) app.use(allowOrigins(corsOrigins));
  const guard = keys === undefined ? [] : [requireKey(keys, now), limitRate()];
  if (guard.length > 0) app.use(onlyFor((path) => needsKey(path, keysFor), express.Router().use(guard)));

  const operations = operationsOf(services);
  const isVersioned = ({ path }: Operation) => path.startsWith("/v1/");
  const isFirstPage = ({ path }: Operation) => path === PAGES.answers;
  // The most frequent ones come first, and small responses are not worth compression.
  for (const operation of operations)
    if (!isVersioned(operation) && !isFirstPage(operation)) mount(app, operation);
  app.use(compression());
  for (const operation of operations.filter(isVersioned)) mount(app, operation);
  // If /v1 requires a key, the pages require it too. The first page has the address of the original service's
  // greeting.
  app.use(servePages(services, keysFor === "v1" ? guard : []));
  for (const operation of operations.filter(isFirstPage)) mount(app, operation);
  app.get("/docs{/*file}", secureDocumentation);
  const asksForKey = ({ path }: Operation) => keys !== undefined && needsKey(path, keysFor);
  // The document works without a publication, and without the database.
  const newest = () => services.store.newest().catch(() => undefined);
  addDocumentation(app, operations, asksForKey, newest);
  for (const path of new Set(operations.map(({ path }) => path))) refuseOtherMethods(app, path, operations);

  app.use(refusePath);
  app.use(answerError);
  return app;
}

/** Limits a handler to some paths. */
function onlyFor(isFor: (path: string) => boolean, handler: RequestHandler): RequestHandler {
  return (request, response, next) => {
    if (isFor(request.path)) handler(request, response, next);
    else next();
  };
}

function mount(app: Express, { method, path, handlers }: Operation): void {
  app[method](expressPath(path), ...handlers);
}

/** `/v1/tables/{table}` in Express's form: `/v1/tables/:table`. */
function expressPath(path: string): string {
  return path.replace(/\{([a-z_]+)\}/g, ":$1");
}

function refuseOtherMethods(app: Express, path: string, operations: readonly Operation[]): void {
  const methods = operations.filter((operation) => operation.path === path).map(({ method }) => method);
  const offered = methods.flatMap((method) => (method === "get" ? ["GET", "HEAD"] : [method.toUpperCase()]));
  app.all(expressPath(path), (request, response) => {
    throw refusedMethod(request, response, offered);
  });
}

const refusePath: RequestHandler = (request) => {
  throw new Problem("not-found", `There is nothing at ${request.path}.`);
};
