import express, { type ErrorRequestHandler, type Express, type RequestHandler } from "express";
import type { Logger } from "pino";
import { pinoHttp } from "pino-http";
import { PipelineError } from "../errors.js";
import { parseCustomer } from "./customer-schema.js";
import { Problem, sendProblem } from "./problem.js";
import type { VoucherService } from "./voucher-service.js";

/** The HTTP face of the service. */
export function createApp(vouchers: VoucherService, log: Logger): Express {
  const app = express();
  app.disable("x-powered-by");
  // Duplicate parameters come as lists, and no parameter can become an object.
  app.set("query parser", "simple");
  app.use(accessLog(log));

  app.get("/", (_request, response) => {
    response.json({ Hello: "World!!" });
  });
  app.get("/voucher/most-used", async (request, response) => {
    const customer = parseCustomer(request.query["customer"]);
    response.json({ voucher_amount: await vouchers.mostUsedFor(customer) });
  });
  for (const path of ["/", "/voucher/most-used"]) app.all(path, refuseMethod);

  app.use(refusePath);
  app.use(answerError);
  return app;
}

/** One line a request. The query is left out: it describes a customer. */
function accessLog(logger: Logger): RequestHandler {
  return pinoHttp({
    logger,
    quietReqLogger: true,
    serializers: {
      req: ({ id, method, url }: { id: unknown; method: string; url: string }) => ({
        id,
        method,
        path: url.split("?", 1)[0],
      }),
      res: ({ statusCode }: { statusCode: number }) => ({ status: statusCode }),
    },
  });
}

const refuseMethod: RequestHandler = (request, response) => {
  response.set("Allow", "GET, HEAD");
  throw new Problem("method-not-allowed", `${request.method} is not offered at ${request.path}; use GET.`);
};

const refusePath: RequestHandler = (request) => {
  throw new Problem("not-found", `There is nothing at ${request.path}.`);
};

/** The one place where an error becomes an answer. Express knows it by its four parameters. */
const answerError: ErrorRequestHandler = (error: unknown, request, response, next) => {
  if (response.headersSent) {
    next(error);
    return;
  }
  const problem = problemOf(error);
  if (problem.type === "internal-error") request.log.error(error);
  if (problem.type === "database-unavailable") request.log.warn(error);
  sendProblem(response, problem);
};

function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof PipelineError) {
    return new Problem(
      "database-unavailable",
      "The database of the answers cannot be reached; try again later.",
    );
  }
  // Express throws an error of its own for an address that cannot be decoded.
  if (error instanceof URIError) return new Problem("invalid-request", "The address cannot be decoded.");
  return new Problem("internal-error", "The service failed; the fault is in its log.");
}
