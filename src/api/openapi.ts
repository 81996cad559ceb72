import { createDocument, type ZodOpenApiPathsObject } from "zod-openapi";
import type { Operation } from "./operation.js";

/** The OpenAPI document of the service, made of the schemas by which it checks. */
export function openApiDocument(operations: readonly Operation[]): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const { path, method, documentation } of operations)
    paths[path] = { ...paths[path], [method]: documentation };
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Voucher service",
      version: "1",
      description:
        "Which voucher amount is used most in a customer's country and segment, by the newest publication of the pipeline.",
    },
    servers: [{ url: "/" }],
    paths,
  });
}
