import type { Express, RequestHandler } from "express";
import { logRequest } from "./access-log.js";
import { REQUEST_ID_HEADER, requestIdOf } from "./request-id.js";
import { routeName } from "./route-name.js";
import type { Services } from "./services.js";

const ABORTED = "aborted";

/** Sees every request once, at its beginning and at its end: for its name, the log, the metrics and the shutdown. */
export function observe({ log, metrics, underWay }: Services): RequestHandler {
  return (request, response, next) => {
    const began = performance.now();
    request.id = requestIdOf(request);
    response.setHeader(REQUEST_ID_HEADER, request.id);
    underWay.add(response);
    response.once("close", () => {
      const milliseconds = performance.now() - began;
      const route = routeName(request);
      // A body that is cut off is an error of the request, which may then be answered to nobody.
      const isAborted = !response.writableFinished || request.errored !== null;
      underWay.remove(response);
      const status = isAborted ? ABORTED : response.statusCode.toString();
      metrics.observe(request.method, route, status, milliseconds / 1_000);
      logRequest(log, request, response, { route, milliseconds, isAborted });
    });
    next();
  };
}

/** Gives requests a log of their own, where each line names the request. It is made when something is to be said. */
export function addRequestLog(app: Express, { log }: Services): void {
  Object.defineProperty(app.request, "log", {
    get(this: Express["request"]) {
      return log.child({ request: this.id });
    },
  });
}
