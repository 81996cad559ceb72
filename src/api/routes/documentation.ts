import path from "node:path";
import express, { type Express } from "express";
import { projectFolder } from "../../project-folder.js";
import { openApiDocument } from "../openapi.js";
import type { Operation } from "../operation.js";

/** `GET /openapi.json`, and `GET /docs`: the same to read and to try, with nothing from elsewhere. */
export function addDocumentation(
  app: Express,
  operations: readonly Operation[],
  asksForKey: (operation: Operation) => boolean,
): void {
  const document = JSON.stringify(openApiDocument(operations, asksForKey));
  app.get("/openapi.json", (_request, response) => {
    response.type("json").send(document);
  });
  app.use("/docs", express.static(path.join(projectFolder(), "dist/api/docs"), { maxAge: "1h" }));
}
