import { stringify } from "csv-stringify/sync";
import type { Response } from "express";
import * as z from "zod";
import {
  openTable,
  PublicationReplaced,
  type RowKey,
  type TablePage,
  type TableReader,
} from "../../consumption/table-pages.js";
import type { Publication } from "../../voucher/publication.js";
import { isUnchanged, tellPublication } from "../freshness.js";
import { JSON_TYPE } from "../json-body.js";
import { operation, type Operation } from "../operation.js";
import { Problem } from "../problem.js";
import { executionDate, wholeNumberText } from "../schemas/fields.js";
import { publicationDocument, publicationSchema } from "../schemas/publication.js";
import type { Services } from "../services.js";
import { written } from "../streaming.js";

const ROWS_UNLESS_ASKED = 1_000;
const MOST_ROWS = 10_000;
/** As many as are read from the database at once for a table that is sent whole. */
const ROWS_PER_PAGE = 2_000;
const CSV_TYPE = "text/csv";

const tableSchema = z
  .object({
    table: z.string(),
    publication: publicationSchema,
    columns: z.array(z.string()),
    rows: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
    next: z
      .string()
      .nullable()
      .meta({ description: "Ask with after=… for the rows that follow; null where there are no more" }),
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
      "CSV comes to who accepts text/csv, or asks with format=csv. Rows are in the order of the table's key.",
    tag: "Publications",
    parameters: z.strictObject({
      table: z
        .string()
        .regex(/^[a-z][a-z0-9_]{0,63}$/, "must be the name of a table")
        .meta({ example: "voucher_frequent_most_used" }),
    }),
    query: z.strictObject({
      execution_date: executionDate.optional(),
      format: z.enum(["json", "csv"], "must be json or csv").optional(),
      limit: wholeNumberText(1, MOST_ROWS)
        .optional()
        .meta({ description: `Rows of a page of JSON; ${ROWS_UNLESS_ASKED.toString()} unless given` }),
      after: z.string().max(4_096).optional().meta({ description: "What `next` said on the page before" }),
    }),
    answers: {
      [JSON_TYPE]: { schema: tableSchema },
      [CSV_TYPE]: { schema: z.string() },
    },
    problems: ["unknown-publication", "unknown-table", "publication-replaced", "no-publication"],
    isConditional: true,
    handle: async ({ path, query }, request, response) => {
      const { store } = services;
      const { publication } = await store.of(query.execution_date?.partitionKey);
      const table = await store.ask((database) => openTable(database, publication, path.table));
      if (table === undefined) throw unknownTable(path.table, publication);
      const after = query.after === undefined ? undefined : keyOf(query.after, table, publication);
      tellPublication(response, services, publication);
      response.vary("Accept");
      const asCsv =
        query.format === "csv" ||
        (query.format === undefined && request.accepts([JSON_TYPE, CSV_TYPE]) === CSV_TYPE);
      const limit = query.limit ?? ROWS_UNLESS_ASKED;
      const pageOf = (key: RowKey | undefined, rows: number) => store.ask(() => page(table, key, rows));
      const first = await pageOf(after, asCsv ? ROWS_PER_PAGE : limit);
      if (isUnchanged(request, response, [publication], asCsv ? "csv" : "json")) return;
      if (asCsv) {
        await sendCsv(response, path.table, table, first, pageOf);
        return;
      }
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

async function page(table: TableReader, after: RowKey | undefined, limit: number): Promise<TablePage> {
  try {
    return await table.page(after, limit);
  } catch (error) {
    throw error instanceof PublicationReplaced ? replaced() : error;
  }
}

/** Row by row to the end. Where the publication is replaced on the way, the connection breaks off: half a table is none. */
async function sendCsv(
  response: Response,
  name: string,
  { columns }: TableReader,
  first: TablePage,
  pageOf: (after: RowKey, limit: number) => Promise<TablePage>,
): Promise<void> {
  response.type(CSV_TYPE).attachment(`${name}.csv`);
  await written(response, stringify([[...columns]]));
  for (let current = first; ; current = await pageOf(current.next, ROWS_PER_PAGE)) {
    await written(response, stringify(current.rows.map((row) => columns.map((column) => row[column]))));
    if (current.next === undefined) break;
  }
  response.end();
}

/** A cursor says of which publication it is: the rows that follow must be of the same one. */
function cursorOf(key: RowKey, { runId, publishedAt }: Publication): string {
  return Buffer.from(JSON.stringify([runId, publishedAt, ...key])).toString("base64url");
}

function keyOf(cursor: string, { key }: TableReader, { runId, publishedAt }: Publication): RowKey {
  const parsed = cursorSchema.safeParse(parseJson(Buffer.from(cursor, "base64url").toString()));
  const [ofRun, ofMoment, ...values] = parsed.data ?? [];
  if (!parsed.success || values.length !== key.length)
    throw new Problem("invalid-request", "This is no cursor of this table.", [
      { field: "after", message: "must be what `next` said on the page before" },
    ]);
  if (ofRun !== runId || ofMoment !== publishedAt) throw replaced();
  return values;
}

const cursorSchema = z.array(z.union([z.string(), z.number(), z.null()]));

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function replaced(): Problem {
  return new Problem(
    "publication-replaced",
    "The date was published anew meanwhile; read the table from the start.",
  );
}

function unknownTable(table: string, { rowCounts }: Publication): Problem {
  const known = Object.keys(rowCounts).join(", ");
  return new Problem("unknown-table", `The publication has no table ${table}; it has ${known}.`, [
    { field: "table", message: `must be one of ${known}` },
  ]);
}
