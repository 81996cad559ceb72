import * as z from "zod";
import { JSON_TYPE } from "../json-body.js";
import { operation, type Operation } from "../operation.js";
import { Problem } from "../problem.js";
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
      problems: ["no-publication"],
      handle: async (_input, _request, response) => {
        const { publication } = await services.store.newest();
        const { confirmedAt } = services.store.status;
        const seconds = Math.floor((services.now().getTime() - (confirmedAt?.getTime() ?? 0)) / 1_000);
        if (seconds > services.staleSeconds)
          throw new Problem(
            "database-unavailable",
            `The database has not answered for ${seconds.toString()} seconds; the answers are those of then.`,
          );
        response.set("Cache-Control", "no-store");
        response.json({
          status: "ready",
          publication: publicationDocument(publication),
          confirmed_seconds: Math.max(0, seconds),
        } satisfies z.input<typeof readySchema>);
      },
    }),
  ];
}
