import * as z from "zod";
import { JSON_TYPE } from "../media-types.js";
import { operation, type Operation } from "../operation.js";
import { confirmedSeconds, reasonNotReady } from "../readiness.js";
import { publicationDocument, publicationSchema } from "../schemas/publication.js";
import type { Services } from "../services.js";

const readySchema = z
  .object({
    status: z.literal("ready"),
    publication: publicationSchema,
    confirmed_seconds: z
      .int()
      .meta({ description: "Seconds since the database said that this is the newest publication" }),
  })
  .meta({ id: "Ready" });

/** What whoever runs the service asks of it: is the process alive, and can it answer? */
export function health(services: Services): Operation[] {
  return [
    operation({
      method: "get",
      path: "/livez",
      name: "isAlive",
      summary: "Whether the process is alive",
      tag: "Operations",
      answers: { [JSON_TYPE]: { schema: z.object({ status: z.literal("alive") }) } },
      handle: (_input, _request, response) => {
        response.set("Cache-Control", "no-store");
        response.json({ status: "alive" });
      },
    }),
    operation({
      method: "get",
      path: "/readyz",
      name: "isReady",
      summary: "Whether a publication is loaded, and the database has confirmed it within the limit",
      tag: "Operations",
      answers: { [JSON_TYPE]: { schema: readySchema } },
      problems: ["no-publication", "not-ready"],
      handle: async (_input, _request, response) => {
        const { publication } = await services.store.newest();
        const reason = reasonNotReady(services);
        if (reason !== undefined) throw reason;
        response.set("Cache-Control", "no-store");
        response.json({
          status: "ready",
          publication: publicationDocument(publication),
          confirmed_seconds: Math.floor(confirmedSeconds(services) ?? 0),
        } satisfies z.input<typeof readySchema>);
      },
    }),
  ];
}
