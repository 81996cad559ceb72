import * as z from "zod";
import { readPublications } from "../../consumption/read-publications.js";
import { certaintyTold } from "../../record/answers.js";
import { countByWord } from "../../voucher/certainty.js";
import { changesBetween } from "../../voucher/changes.js";
import { executionDate, wholeNumberText } from "../../voucher/field-schemas.js";
import type { Cell } from "../../voucher/published-answers.js";
import { SEGMENT_KINDS } from "../../voucher/segment-rules.js";
import { JSON_TYPE } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import type { Services } from "../http/services.js";
import { certaintyFields, publicationDocument, publicationSchema } from "./answer-schema.js";
import { tellDeprecated } from "./deprecations.js";
import { AFTER, NEXT } from "./list-formats.js";
import { certaintyCounts, readPastRun, recordedRunDocument, recordedRunSchema } from "./runs-routes.js";

const PUBLICATIONS_UNLESS_ASKED = 100;
const MOST_PUBLICATIONS = 1_000;

const historySchema = z
  .object({
    publications: z.array(publicationSchema),
    next: z.string().nullable().meta({ description: NEXT }),
    next_before: z
      .string()
      .nullable()
      .meta({ description: "The same as next, for the parameter before", deprecated: true }),
  })
  .meta({ id: "Publications" });

/** `GET /v1/publications`: the publications, the latest execution date first. */
export function listPublications(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/publications",
    name: "listPublications",
    summary: "The history of publications, the latest execution date first",
    tag: "Publications",
    query: z.strictObject({
      after: executionDate.optional().meta({ description: AFTER }),
      before: executionDate
        .optional()
        .meta({ description: "The same as after, under its former name", deprecated: true }),
      limit: wholeNumberText(1, MOST_PUBLICATIONS)
        .optional()
        .meta({ description: `${PUBLICATIONS_UNLESS_ASKED.toString()} by default` }),
    }),
    answers: { [JSON_TYPE]: { schema: historySchema } },
    problems: ["no-publication"],
    handle: async ({ query }, _request, response) => {
      const limit = query.limit ?? PUBLICATIONS_UNLESS_ASKED;
      const before = (query.after ?? query.before)?.partitionKey;
      const found = await services.store.ask((database) =>
        readPublications(database, { before, limit: limit + 1 }),
      );
      const shown = found.slice(0, limit).map(publicationDocument);
      const next = found.length > limit ? (shown.at(-1)?.execution_date ?? null) : null;
      response.set("Cache-Control", "no-store");
      tellDeprecated(response);
      response.json({ publications: shown, next, next_before: next } satisfies z.input<typeof historySchema>);
    },
  });
}

const publishedSchema = z
  .object({
    publication: publicationSchema,
    answers: z.int().min(0).meta({ description: "The number of answers" }),
    certainty: certaintyCounts,
    run: recordedRunSchema
      .nullable()
      .meta({ description: "The run that made it; null if the history no longer has it" }),
  })
  .meta({ id: "PublicationWithRun" });

/** `GET /v1/publications/{execution_date}`: one publication, with the run that made it. */
export function readPublicationOf(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/publications/{execution_date}",
    name: "readPublication",
    summary: "One publication, how certain its answers are, and the run that made it",
    tag: "Publications",
    parameters: z.strictObject({ execution_date: executionDate }),
    answers: { [JSON_TYPE]: { schema: publishedSchema } },
    problems: ["unknown-publication", "no-publication"],
    handle: async ({ path }, _request, response) => {
      const answers = await services.store.of(path.execution_date);
      const { publication } = answers;
      const run = await services.store.ask((database) => readPastRun(database, publication.runId));
      const certainty = countByWord(Array.from(answers.cells(), ({ cell }) => cell.certainty));
      tellPublication(response, services, publication);
      response.set("Cache-Control", "no-store");
      tellDeprecated(response);
      response.json({
        publication: publicationDocument(publication),
        answers: answers.size,
        certainty: certainty === undefined ? null : { ...certainty },
        run: run === undefined ? null : recordedRunDocument(run),
      } satisfies z.input<typeof publishedSchema>);
    },
  });
}

const cellSchema = z
  .object({
    voucher_amount: z.int(),
    assignments: z.int(),
    segment_assignments: z.int(),
    ...certaintyFields,
  })
  .nullable();

const changesSchema = z
  .object({
    publication: publicationSchema,
    against: publicationSchema
      .nullable()
      .meta({ description: "The publication compared with; null if there is no earlier one" }),
    changes: z.array(
      z.object({
        country_code: z.string(),
        segment_name: z.enum(SEGMENT_KINDS),
        segment: z.string(),
        before: cellSchema.meta({ description: "null if the answer is new" }),
        after: cellSchema.meta({ description: "null if the answer no longer exists" }),
      }),
    ),
  })
  .meta({ id: "Changes" });

/** `GET /v1/publications/{execution_date}/changes`: the answers that differ from the previous publication. */
export function listChanges(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/publications/{execution_date}/changes",
    name: "listChanges",
    summary: "The answers that differ from the previous publication, or from another one",
    tag: "Publications",
    parameters: z.strictObject({ execution_date: executionDate }),
    query: z.strictObject({
      against: executionDate
        .optional()
        .meta({ description: "The execution date to compare with; the previous one by default" }),
    }),
    answers: { [JSON_TYPE]: { schema: changesSchema } },
    problems: ["unknown-publication", "no-publication"],
    isConditional: true,
    handle: async ({ path, query }, request, response) => {
      const { store } = services;
      const after = await store.of(path.execution_date);
      const before = await (query.against === undefined
        ? store.before(after.publication.executionDate)
        : store.of(query.against));
      tellPublication(response, services, after.publication);
      const publications = [after.publication, ...(before === undefined ? [] : [before.publication])];
      if (isUnchanged(request, response, publications)) return;
      tellDeprecated(response);
      response.json({
        publication: publicationDocument(after.publication),
        against: before === undefined ? null : publicationDocument(before.publication),
        changes:
          before === undefined
            ? []
            : changesBetween(before, after).map((change) => ({
                country_code: change.countryCode,
                segment_name: change.kind,
                segment: change.segment,
                before: cellDocument(change.before),
                after: cellDocument(change.after),
              })),
      } satisfies z.input<typeof changesSchema>);
    },
  });
}

function cellDocument(cell: Cell | undefined): z.input<typeof cellSchema> {
  return cell === undefined
    ? null
    : {
        voucher_amount: cell.voucherAmount,
        assignments: cell.assignments,
        segment_assignments: cell.segmentAssignments,
        ...certaintyTold(cell.certainty),
      };
}

const segmentsSchema = z
  .object({
    execution_date: z.string().meta({ format: "date-time" }),
    segments: z.array(
      z.object({
        segment_name: z.enum(SEGMENT_KINDS),
        description: z.string(),
        measure: z.string().meta({ description: "The measure that defines the segments" }),
        segments: z.array(
          z.object({
            segment: z.string(),
            name: z
              .string()
              .meta({ description: "The same as segment, under its former name", deprecated: true }),
            above: z.int().nullable().meta({ description: "Exclusive; null if there is no bound" }),
            up_to: z.int().nullable().meta({ description: "Inclusive; null if there is no bound" }),
          }),
        ),
      }),
    ),
  })
  .meta({ id: "Segments" });

/** `GET /v1/segments`: the segments of a publication. */
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
      tellDeprecated(response);
      response.json({
        execution_date: publication.executionDate.iso,
        segments: SEGMENT_KINDS.map((kind) => ({
          segment_name: kind,
          description: segments[kind].description,
          measure: segments[kind].measure,
          segments: segments[kind].segments.map(({ name, up_to }, index, all) => ({
            segment: name,
            name,
            above: all[index - 1]?.up_to ?? null,
            up_to: up_to ?? null,
          })),
        })),
      } satisfies z.input<typeof segmentsSchema>);
    },
  });
}
