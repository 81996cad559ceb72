import type { Response } from "express";
import * as z from "zod";
import type { RowKey } from "../../consumption/published-rows.js";
import {
  openTable,
  PublicationReplaced,
  type TablePage,
  type TableReader,
} from "../../consumption/table-pages.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { executionDate, wholeNumberText } from "../../voucher/field-schemas.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { CSV_TYPE, JSON_TYPE, maybeJson } from "../http/bodies.js";
import { isUnchanged, tellPublication } from "../http/freshness.js";
import { operation, type Operation } from "../http/operation.js";
import { Problem } from "../http/problems.js";
import type { Services } from "../http/services.js";
import { written } from "../http/streaming.js";
import { publicationDocument, publicationSchema } from "./answer-schema.js";
import { type CsvOptions, csvText, escapeName } from "./csv-text.js";
import { tellDeprecated } from "./deprecations.js";
import { AFTER, asksForCsv, formatName, malformedCursor, NEXT } from "./list-formats.js";

const ROWS_UNLESS_ASKED = 1_000;
const MOST_ROWS = 10_000;
/** The rows that are read at once for a table without pages. */
const ROWS_PER_PAGE = 2_000;

const tableSchema = z
  .object({
    table: z.string(),
    publication: publicationSchema,
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
    next: z.string().nullable().meta({ description: NEXT }),
  })
  .meta({ id: "Table" });

/** `GET /v1/tables/{table}`: a published table, in pages of JSON or whole as CSV. */
export function readTable(services: Services): Operation {
  return operation({
    method: "get",
    path: "/v1/tables/{table}",
    name: "readTable",
    summary: "A published table, in pages of JSON, or whole as CSV",
    description:
      "Clients that accept text/csv, or send format=csv, get CSV. Rows are in the order of the table's key.",
    tag: "Publications",
    parameters: z.strictObject({
      table: z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,63}$/, "must be the name of a table")
        .meta({ example: "voucher_frequent_most_used" }),
    }),
    query: z.strictObject({
      execution_date: executionDate.optional(),
      format: formatName.optional(),
      escape: escapeName.optional(),
      limit: wholeNumberText(1, MOST_ROWS)
        .optional()
        .meta({ description: `Rows of a page of JSON; ${ROWS_UNLESS_ASKED.toString()} by default` }),
      after: z.string().max(4_096).optional().meta({ description: AFTER }),
    }),
    answers: {
      [JSON_TYPE]: { schema: tableSchema },
      [CSV_TYPE]: { schema: z.string() },
    },
    problems: ["unknown-publication", "unknown-table", "stale-cursor", "no-publication"],
    isConditional: true,
    handle: async ({ path, query }, request, response) => {
      const asCsv = asksForCsv(request, query.format);
      const limit = asCsv ? ROWS_PER_PAGE : (query.limit ?? ROWS_UNLESS_ASKED);
      const reading = await begin(services, path.table, query, limit);
      const { publication, table, first } = reading;
      tellPublication(response, services, publication);
      response.vary("Accept");
      if (isUnchanged(request, response, [publication], asCsv ? "csv" : "json")) return;
      if (asCsv) {
        await sendCsv(response, path.table, reading, query);
        return;
      }
      tellDeprecated(response);
      response.json({
        table: path.table,
        publication: publicationDocument(publication),
        columns: [...table.columns],
        rows: [...first.rows],
        next: first.next === undefined ? null : cursorOf(first.next, publication),
      } satisfies z.input<typeof tableSchema>);
    },
  });
}

/** A table that is being read. All its pages are of one publication. */
interface Reading {
  readonly publication: Publication;
  readonly table: TableReader;
  readonly first: TablePage;
  /** Reads the next page. */
  readonly page: (after: RowKey, limit: number) => Promise<TablePage>;
}

interface Place {
  readonly execution_date?: ExecutionDate | undefined;
  readonly after?: string | undefined;
}

/** Reads the first page. It reads again if the date was published again, or withdrawn, since the last refresh. */
async function begin(services: Services, name: string, place: Place, limit: number): Promise<Reading> {
  try {
    return await tryToBegin(services, name, place, limit);
  } catch (error) {
    if (!(error instanceof PublicationReplaced)) throw error;
    await services.store.refresh();
    return tryToBegin(services, name, place, limit);
  }
}

async function tryToBegin({ store }: Services, name: string, place: Place, limit: number): Promise<Reading> {
  const { publication } = await store.of(place.execution_date);
  const table = await store.ask((database) => openTable(database, publication, name));
  if (table === undefined) throw unknownTable(name, publication);
  const page = (after: RowKey | undefined, rows: number) => store.ask(() => table.page(after, rows));
  const after = place.after === undefined ? undefined : keyOf(place.after, table, publication);
  return { publication, table, first: await page(after, limit), page };
}

/**
 * All rows to the end. If the publication is replaced meanwhile, the connection closes, because a part of a table is
 * useless.
 */
async function sendCsv(
  response: Response,
  name: string,
  { table, first, page }: Reading,
  { escape }: CsvOptions,
): Promise<void> {
  const { columns } = table;
  response.type(CSV_TYPE).attachment(`${name}.csv`);
  await written(response, csvText([columns]));
  for (let current = first; ; current = await page(current.next, ROWS_PER_PAGE)) {
    await written(
      response,
      csvText(
        current.rows.map((row) => columns.map((column) => row[column])),
        { escape },
      ),
    );
    if (current.next === undefined) break;
  }
  response.end();
}

/** A cursor contains its publication: the next rows must be of the same one. */
function cursorOf(key: RowKey, { runId, publishedAt }: Publication): string {
  return Buffer.from(JSON.stringify([runId, publishedAt, ...key])).toString("base64url");
}

function keyOf(cursor: string, { key }: TableReader, { runId, publishedAt }: Publication): RowKey {
  const parsed = cursorSchema.safeParse(maybeJson(Buffer.from(cursor, "base64url").toString()));
  const [ofRun, ofMoment, ...values] = parsed.data ?? [];
  if (parsed.data === undefined || values.length !== key.length) throw malformedCursor();
  if (ofRun === runId && ofMoment === publishedAt) return values;
  throw new Problem(
    "stale-cursor",
    "The date was published again or withdrawn since the previous page. Read the table from the start.",
    [{ field: "after", message: "must belong to the same publication as the previous page" }],
  );
}

const cursorSchema = z.array(z.union([z.string(), z.number(), z.null()]));

function unknownTable(table: string, { rowCounts }: Publication): Problem {
  const known = Object.keys(rowCounts).join(", ");
  return new Problem("unknown-table", `The publication has no table ${table}. Its tables: ${known}.`, [
    { field: "table", message: `must be one of ${known}` },
  ]);
}
