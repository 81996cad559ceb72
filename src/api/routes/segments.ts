import * as z from "zod";
import { SEGMENT_KINDS } from "../../voucher/segments.js";
import { JSON_TYPE } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import type { Services } from "../http/services.js";
import { executionDate } from "../schemas/fields.js";

const segmentsSchema = z
  .object({
    execution_date: z.string().meta({ format: "date-time" }),
    segments: z.array(
      z.object({
        segment_name: z.enum(SEGMENT_KINDS),
        description: z.string(),
        measure: z.string().meta({ description: "What the segments go by" }),
        segments: z.array(
          z.object({
            name: z.string(),
            above: z.int().nullable().meta({ description: "Exclusive; null where there is no bound" }),
            up_to: z.int().nullable().meta({ description: "Inclusive; null where there is no bound" }),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Segments" });

/** `GET /v1/segments`: the segments by which a publication was made. */
export function listSegments(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/segments",
    name: "listSegments",
    summary: "The segments, with their bounds",
    tag: "Vouchers",
    query: z.strictObject({ execution_date: executionDate.optional() }),
    answers: { [JSON_TYPE]: { schema: segmentsSchema } },
    problems: ["unknown-publication", "no-publication"],
    isConditional: true,
    handle: async ({ query }, request, response) => {
      const { publication, segments } = await services.store.of(query.execution_date);
      tellPublication(response, services, publication);
      if (isUnchanged(request, response, [publication])) return;
      response.json({
        execution_date: publication.executionDate.iso,
        segments: SEGMENT_KINDS.map((kind) => ({
          segment_name: kind,
          description: segments[kind].description,
          measure: segments[kind].measure,
          segments: segments[kind].segments.map(({ name, up_to }, index, all) => ({
            name,
            above: all[index - 1]?.up_to ?? null,
            up_to: up_to ?? null,
          })),
        })),
      } satisfies z.input<typeof segmentsSchema>);
    },
  });
}
