import { isObject } from "../../base/json.js";
import type { Answers, PlacedCell } from "../../voucher/published-answers.js";

/** Values that have an answer in a publication, by the names of parameters and fields. */
type Examples = Readonly<Record<string, string | number>>;

/**
 * Adds examples to an OpenAPI document that have answers in the newest publication, so that the requests of the page
 * at /docs work.
 * @param answers undefined if nothing is published yet: then the document stays the same.
 */
export function withExamples<Document extends object>(
  document: Document,
  answers: Answers | undefined,
): Document {
  const place = answers && placeWithMostVouchers(answers);
  if (answers === undefined || place === undefined) return document;
  const examples = examplesOf(answers, place);
  return visited(document, (value) => exampleIn(value, examples)) as Document;
}

function placeWithMostVouchers(answers: Answers): PlacedCell | undefined {
  let most: PlacedCell | undefined;
  for (const placed of answers.cells()) {
    const isFrequent = placed.kind === "frequent_segment";
    if (isFrequent && placed.cell.segmentAssignments > (most?.cell.segmentAssignments ?? 0)) most = placed;
  }
  return most;
}

function examplesOf(
  { publication, segments }: Answers,
  { kind, countryCode, segment }: PlacedCell,
): Examples {
  const ofKind = segments[kind].segments;
  const index = ofKind.findIndex(({ name }) => name === segment);
  const { iso } = publication.executionDate;
  return {
    customer_id: 123,
    country_code: countryCode,
    segment_name: kind,
    // The lowest value of the segment, or one order.
    total_orders: (ofKind[index - 1]?.up_to ?? 0) + 1,
    last_order_ts: iso,
    first_order_ts: iso,
    execution_date: iso,
    run_id: publication.runId,
    table: Object.keys(publication.rowCounts)[0] ?? "",
  };
}

const CUSTOMER_FIELDS = ["country_code", "segment_name", "total_orders", "last_order_ts"] as const;

/** The new form of a part of the document; undefined if it stays the same. */
function exampleIn(part: Readonly<Record<string, unknown>>, examples: Examples): unknown {
  const { in: place, name, content } = part;
  if (typeof name === "string" && (place === "query" || place === "path")) {
    if (isObject(content))
      return { ...part, content: withExampleOf(content, "application/json", customerOf(examples, true)) };
    return isFilledIn(part) ? { ...part, example: examples[name] ?? exampleOf(part) } : undefined;
  }
  if (isObject(content) && "text/csv" in content && part["required"] === true) {
    const lines = [
      CUSTOMER_FIELDS.join(","),
      CUSTOMER_FIELDS.map((field) => csvField(examples[field])).join(","),
    ];
    const asCsv = withExampleOf(content, "text/csv", `${lines.join("\n")}\n`);
    const line = `${JSON.stringify(customerOf(examples, false))}\n`;
    return { ...part, content: withExampleOf(asCsv, "application/x-ndjson", line) };
  }
  if (isObject(content) && "application/json" in content && part["required"] === true)
    return { ...part, content: withExampleOf(content, "application/json", customerOf(examples, false)) };
  return undefined;
}

/**
 * A required parameter has an example. The measures have one, too, because one of them is required. All others stay
 * empty.
 */
function isFilledIn({ name, required }: Readonly<Record<string, unknown>>): boolean {
  return required === true || name === "total_orders" || name === "last_order_ts";
}

function exampleOf({ schema }: Readonly<Record<string, unknown>>): unknown {
  return isObject(schema) ? schema["example"] : undefined;
}

function customerOf(examples: Examples, isOriginal: boolean): Examples {
  const { customer_id, first_order_ts, ...others } = examples;
  const fields = Object.entries(others).filter(([name]) => CUSTOMER_FIELDS.some((field) => field === name));
  const customer = { customer_id, ...Object.fromEntries(fields) } as Examples;
  return isOriginal && first_order_ts !== undefined ? { ...customer, first_order_ts } : customer;
}

function withExampleOf(content: object, type: string, example: unknown): object {
  const media = (content as Record<string, unknown>)[type];
  return { ...content, [type]: { ...(isObject(media) ? media : {}), example } };
}

function csvField(value: string | number | undefined): string {
  const text = String(value ?? "");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A copy of a document with replaced parts. */
function visited(value: unknown, replace: (part: Readonly<Record<string, unknown>>) => unknown): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => visited(item, replace));
  if (!isObject(value)) return value;
  const replaced = replace(value);
  if (replaced !== undefined) return replaced;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, visited(part, replace)]));
}
