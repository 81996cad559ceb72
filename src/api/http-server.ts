import { createServer, IncomingMessage, ServerResponse, type Server } from "node:http";
import express, { type Express } from "express";

/**
 * A server whose requests and responses are Express's from the start. Express makes them its own by changing the prototype of
 * each one, which has V8 give up what it has learnt of them: on Node 20 that cost more than all the rest of a request.
 */
export function createHttpServer(app: Express): Server {
  class AppRequest extends IncomingMessage {}
  class AppResponse extends ServerResponse {}
  Object.setPrototypeOf(AppRequest.prototype, express.request);
  Object.setPrototypeOf(AppResponse.prototype, express.response);
  // Express now finds the prototype that it would set.
  app.request = Object.assign(AppRequest.prototype, { app }) as unknown as Express["request"];
  app.response = Object.assign(AppResponse.prototype, { app }) as unknown as Express["response"];
  return createServer({ IncomingMessage: AppRequest, ServerResponse: AppResponse }, app);
}
