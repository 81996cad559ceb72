import { createDocument, type ZodOpenApiPathsObject } from "zod-openapi";
import { problemResponses, type Operation } from "./operation.js";

/** The name of the security scheme in the document. */
const KEY = "key";

/**
 * The OpenAPI document of the service, made of the schemas by which it checks.
 * @param asksForKey whether an operation is for clients with a key alone.
 */
export function openApiDocument(
  operations: readonly Operation[],
  asksForKey: (operation: Operation) => boolean,
): ReturnType<typeof createDocument> {
  const paths: ZodOpenApiPathsObject = {};
  for (const operation of operations) {
    const { path, method, documentation } = operation;
    const documented = asksForKey(operation) ? withKey(documentation) : documentation;
    paths[path] = { ...paths[path], [method]: documented };
  }
  const hasKeys = operations.some(asksForKey);
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
    ...(hasKeys ? { components: { securitySchemes: { [KEY]: { type: "http", scheme: "bearer" } } } } : {}),
  });
}

function withKey(documentation: Operation["documentation"]): Operation["documentation"] {
  return {
    ...documentation,
    security: [{ [KEY]: [] }],
    responses: {
      ...documentation.responses,
      ...problemResponses(["key-missing", "too-many-requests"]),
    },
  };
}
