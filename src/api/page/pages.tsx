import { type ErrorRequestHandler, type Request, type RequestHandler, type Response, Router } from "express";
import { render } from "preact-render-to-string";
import { logFault, problemOf } from "../http/error-answers.js";
import { prefersPage, securePage } from "../http/guards.js";
import { refusedMethod } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { PAGES } from "./addresses.js";
import { answerPage } from "./answer/page.js";
import { answersPage } from "./answers/page.js";
import { ASSETS, serveAssets } from "./assets.js";
import { campaignPage } from "./campaign/page.js";
import { changesPage } from "./changes/page.js";
import { customerPage } from "./customer/page.js";
import { sendDictionary } from "./dictionary.js";
import { Frame } from "./frame.js";
import { healthPage } from "./health/page.js";
import type { Page, PageRoute } from "./page.js";
import { problemPage } from "./problem-page.js";
import { type Standing, standingOf, UNKNOWN_STANDING } from "./standing.js";

/** The pages, in the order of the menu. */
function pagesOf(services: Services): PageRoute[] {
  return [
    answersPage(services),
    answerPage(services),
    changesPage(services),
    customerPage(services),
    campaignPage(services),
    healthPage(services),
  ];
}

/**
 * The pages for people.
 * @param guard lets nobody pass who may not read them.
 */
export function servePages(services: Services, guard: readonly RequestHandler[]): Router {
  const router = Router();
  const routes = pagesOf(services);
  const menu = routes.flatMap(({ menu: name, path }) => (name === undefined ? [] : [{ name, path }]));
  const send = (request: Request, response: Response, page: Page, standing: Standing) => {
    const frame = <Frame page={page} standing={standing} menu={menu} path={request.path} />;
    response.set("Cache-Control", "no-store");
    response.status(page.status ?? 200);
    response.type("html").send(`<!doctype html>${render(frame)}`);
  };

  router.use(ASSETS, serveAssets());
  for (const { path, open } of routes) {
    const take = path === PAGES.answers ? takeFromPeople : takeReading;
    router.all(path, take, securePage, ...guard, async (request, response) => {
      const standing = await standingOf(services);
      send(request, response, await open(request, standing), standing);
    });
  }
  // Whole pages by themselves, which stand in no menu of these.
  const dictionary = [PAGES.dictionary, `${PAGES.dictionary}/:file`];
  router.all(dictionary, takeReading, securePage, ...guard, sendDictionary(services));
  router.use((async (error: unknown, request, response, next) => {
    const problem = problemOf(error);
    if (response.headersSent) {
      next(error);
      return;
    }
    logFault(request, problem, error);
    // Who shows no key learns nothing.
    const standing = problem.type === "key-missing" ? UNKNOWN_STANDING : await standingOf(services);
    send(request, response, problemPage(problem), standing);
  }) satisfies ErrorRequestHandler);
  return router;
}

/** What programs get at the address of the first page is the answer of the original service. */
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
