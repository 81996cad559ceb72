import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from "express";
import { render } from "preact-render-to-string";
import { logFault, problemOf } from "../http/error-answers.js";
import { prefersPage, securePage } from "../http/guards.js";
import { type Problem, PROBLEMS, refusedMethod } from "../http/problems.js";
import { belowPrefix } from "../http/proxy.js";
import type { Services } from "../http/services.js";
import { PAGES } from "./addresses.js";
import { answerPage } from "./answer-page.js";
import { sendAnswersCsv } from "./answers-csv.js";
import { answersPage } from "./answers-page.js";
import { ASSETS, serveAssets } from "./assets.js";
import { campaignPage } from "./campaign-page.js";
import { changesPage } from "./changes-page.js";
import { customerPage } from "./customer-page.js";
import { sendDictionary } from "./dictionary-pages.js";
import { Frame, type Page, type PageRoute } from "./frame.js";
import { healthPage } from "./health/health-page.js";
import { runPage } from "./health/run-page.js";
import { type ServiceState, serviceStateOf, UNKNOWN_STATE } from "./service-state.js";

/** The pages, in the order of the menu. */
function pagesOf(services: Services): PageRoute[] {
  return [
    answersPage(services),
    answerPage(services),
    changesPage(services),
    customerPage(services),
    campaignPage(services),
    healthPage(services),
    runPage(services),
  ];
}

/**
 * The pages for people.
 * @param guard stops requests without permission.
 */
export function servePages(services: Services, guard: readonly RequestHandler[]): Router {
  const router = Router();
  const routes = pagesOf(services);
  const menu = routes.flatMap(({ menu: name, path }) => (name === undefined ? [] : [{ name, path }]));
  const send = (request: Request, response: Response, page: Page, state: ServiceState) => {
    const frame = <Frame page={page} state={state} menu={menu} address={request.originalUrl} />;
    response.set("Cache-Control", "no-store");
    response.status(page.status ?? 200);
    response.type("html").send(belowPrefix(request, `<!doctype html>${render(frame)}`));
  };

  router.use(ASSETS, serveAssets());
  for (const { path, open } of routes) {
    const take = path === PAGES.answers ? takeFromPeople : takeReading;
    router.all(path, take, securePage, ...guard, async (request, response) => {
      const state = await serviceStateOf(services, request);
      send(request, response, await open(request, state), state);
    });
  }
  router.all(PAGES.answersCsv, takeReading, securePage, ...guard, sendAnswersCsv(services));
  // Complete pages, which have no entry in this menu.
  const dictionary = [PAGES.dictionary, `${PAGES.dictionary}/:file`];
  router.all(dictionary, takeReading, securePage, ...guard, sendDictionary(services));
  router.use((async (error: unknown, request, response, next) => {
    const problem = problemOf(error);
    if (response.headersSent) {
      next(error);
      return;
    }
    logFault(request, problem, error);
    // A client without a key learns nothing.
    const state = problem.type === "key-missing" ? UNKNOWN_STATE : await serviceStateOf(services, request);
    send(request, response, problemPage(problem), state);
  }) satisfies ErrorRequestHandler);
  return router;
}

/** Programs get the original service's response at the address of the first page. */
const takeFromPeople: RequestHandler = (request, response, next) => {
  response.vary("Accept");
  next(isReading(request) && prefersPage(request) ? undefined : "route");
};

const takeReading: RequestHandler = (request, response, next) => {
  if (!isReading(request)) throw refusedMethod(request, response, ["GET", "HEAD"]);
  next();
};

function isReading({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/** The fault, its place and its remedy. */
function problemPage({ type, detail, errors }: Problem): Page {
  if (type === "no-publication") return EMPTY;
  const { status, title } = PROBLEMS[type];
  return {
    title,
    status,
    body: (
      <>
        <p class="lead">{detail}</p>
        {errors.length > 0 && (
          <ul>
            {errors.map(({ field, message }) => (
              <li key={field}>
                <code>{field}</code> {message}
              </li>
            ))}
          </ul>
        )}
        <p>
          <a href={PAGES.answers}>All answers</a>
        </p>
      </>
    ),
  };
}

/** The page before the first run. It is not a fault: the service runs, and waits. */
const EMPTY: Page = {
  title: "Nothing is published yet",
  body: (
    <>
      <p class="lead">The answers appear here within seconds after the first run of the pipeline.</p>
      <ol class="steps">
        <li>Put the voucher files into the raw zone. The project includes a sample.</li>
        <li>
          Run the pipeline: <code>npm run pipeline -- --execution-date 2020-05-29T00:00:00</code>
        </li>
        <li>
          Load this page again. If a run failed, <a href={PAGES.health}>see the reasons</a>.
        </li>
      </ol>
    </>
  ),
};
