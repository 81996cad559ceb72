import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from "express";
import { render } from "preact-render-to-string";
import { logFault, problemOf } from "../http/error-answers.js";
import { prefersPage, securePage } from "../http/guards.js";
import { type Problem, PROBLEMS, refusedMethod } from "../http/problems.js";
import { belowPrefix } from "../http/proxy.js";
import type { Services } from "../http/services.js";
import { ClientGone } from "../http/streaming.js";
import { PAGES } from "./addresses.js";
import { answerPage } from "./answer-page.js";
import { sendAnswersCsv } from "./answers-csv.js";
import { answersPage } from "./answers-page.js";
import { ASSETS, serveAssets } from "./assets.js";
import { campaignPage } from "./campaign/campaign-page.js";
import { campaignResultPage, sendPricedFile } from "./campaign/campaign-result.js";
import { StoredCampaigns } from "./campaign/stored-campaigns.js";
import { changesPage } from "./changes-page.js";
import { customerPage } from "./customer-page.js";
import { sendDictionary } from "./dictionary-pages.js";
import { Frame, type Page, type PageRoute } from "./frame.js";
import { healthPage } from "./health/health-page.js";
import { runPage } from "./health/run-page.js";
import { FieldErrors } from "./parts.js";
import { type ServiceState, serviceStateOf, UNKNOWN_STATE } from "./service-state.js";

/** The pages, in the order of the menu. */
function pagesOf(services: Services, campaigns: StoredCampaigns): PageRoute[] {
  return [
    answersPage(services),
    answerPage(services),
    changesPage(services),
    customerPage(services),
    campaignPage(services, campaigns),
    campaignResultPage(campaigns),
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
  const campaigns = new StoredCampaigns(services);
  const routes = pagesOf(services, campaigns);
  const menu = routes.flatMap(({ menu: name, path }) => (name === undefined ? [] : [{ name, path }]));
  const send = (request: Request, response: Response, page: Page, state: ServiceState) => {
    const frame = <Frame page={page} state={state} menu={menu} address={request.originalUrl} />;
    response.set("Cache-Control", "no-store");
    // An element would do the same, but a page whose reader needs time must not have it.
    if (page.refreshSeconds !== undefined) response.set("Refresh", page.refreshSeconds.toString());
    response.status(page.status ?? 200);
    response.type("html").send(belowPrefix(request, `<!doctype html>${render(frame)}`));
  };

  router.use(ASSETS, serveAssets());
  for (const { path, open, post } of routes) {
    if (post !== undefined) router.post(path, securePage, ...guard, post);
    const take = path === PAGES.answers ? takeFromPeople : takeReadingOr(post === undefined ? [] : ["POST"]);
    router.all(path, take, securePage, ...guard, async (request, response) => {
      const state = await serviceStateOf(services, request);
      send(request, response, await open(request, state), state);
    });
  }
  router.all(PAGES.answersCsv, takeReading, securePage, ...guard, sendAnswersCsv(services));
  const pricedFile = `${PAGES.campaign}/:id/priced.csv`;
  router.all(pricedFile, takeReading, securePage, ...guard, sendPricedFile(campaigns));
  // Complete pages, which have no entry in this menu.
  const dictionary = [PAGES.dictionary, `${PAGES.dictionary}/:file`];
  router.all(dictionary, takeReading, securePage, ...guard, sendDictionary(services));
  router.use((async (error: unknown, request, response, next) => {
    if (error instanceof ClientGone) return;
    const problem = problemOf(error);
    if (response.headersSent) {
      next(error);
      return;
    }
    logFault(request, problem, error);
    // A form that was not read to its end cannot be followed by another request.
    if (!request.complete) response.set("Connection", "close");
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

function takeReadingOr(others: readonly string[]): RequestHandler {
  return (request, response, next) => {
    if (!isReading(request)) throw refusedMethod(request, response, ["GET", "HEAD", ...others]);
    next();
  };
}

const takeReading = takeReadingOr([]);

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
        <FieldErrors errors={errors} />
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
