import * as z from "zod";
import { addServiceMetrics } from "../metrics.js";
import { operation, type Operation } from "../operation.js";
import type { Services } from "../services.js";

/** `GET /metrics`, as Prometheus reads it. */
export function readMetrics(services: Services): Operation {
  const { registry } = services.metrics;
  addServiceMetrics(registry, services);
  return operation({
    method: "get",
    path: "/metrics",
    name: "readMetrics",
    summary: "Requests, the publication and the process, as Prometheus reads them",
    tag: "Operations",
    query: z.looseObject({}),
    answers: { "text/plain": { schema: z.string() } },
    handle: async (_input, _request, response) => {
      const text = await registry.metrics();
      response.set("Cache-Control", "no-store");
      response.set("Content-Type", registry.contentType).send(text);
    },
  });
}
