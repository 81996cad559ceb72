import path from "node:path";
import express, { type Express } from "express";
import { projectFolder } from "../../base/files.js";
import { openApiDocument } from "../openapi.js";
import type { Operation } from "../operation.js";

/** `GET /openapi.json`, and `GET /docs`: the same to read and to try, with nothing from elsewhere. */
export function addDocumentation(
  app: Express,
  operations: readonly Operation[],
  asksForKey: (operation: Operation) => boolean,
): void {
  let document: string | undefined;
  app.get("/openapi.json", (_request, response) => {
    // Made when somebody asks: a service that starts has requests that wait.
    document ??= JSON.stringify(openApiDocument(operations, asksForKey));
    response.type("json").send(document);
  });
  app.use("/docs", express.static(path.join(projectFolder(), "dist/api/docs"), { maxAge: "1h" }));
}
