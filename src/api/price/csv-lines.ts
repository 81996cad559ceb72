import { SEGMENT_KINDS, type SegmentKind } from "../../voucher/segments.js";
import { Problem, type FieldError } from "../http/problems.js";
import { csvRecords } from "./csv-records.js";

const COLUMNS = ["customer_id", "country_code", "segment_name", "total_orders", "last_order_ts"] as const;
type Column = (typeof COLUMNS)[number];

/** What each kind of segment goes by. */
const MEASURES: Readonly<Record<SegmentKind, Column>> = {
  frequent_segment: "total_orders",
  recency_segment: "last_order_ts",
};

/**
 * The customers of CSV with a header line, those of some rows at a time: their texts by column, without those that are
 * empty. A row with more or fewer values than the header is undefined.
 * @param segmentName of the rows that name none.
 * @throws Problem where the header lacks columns, or the CSV cannot be read on.
 */
export async function* csvLines(
  texts: AsyncIterable<string>,
  segmentName: SegmentKind | undefined,
): AsyncGenerator<unknown[]> {
  let customerOf: ((record: readonly string[]) => unknown) | undefined;
  for await (const records of csvRecords(texts)) {
    customerOf ??= readerOf(records.shift() ?? [], segmentName);
    yield records.map(customerOf);
  }
  if (customerOf === undefined) readerOf([], segmentName);
}

function readerOf(
  names: readonly string[],
  segmentName: SegmentKind | undefined,
): (record: readonly string[]) => unknown {
  const header = names.map((name) => name.trim());
  expectColumns(header, segmentName);
  const places = COLUMNS.map((column) => [column, header.indexOf(column)] as const);
  return (record) => {
    if (record.length !== header.length) return undefined;
    const customer: Partial<Record<Column, string>> = {};
    for (const [column, place] of places) {
      const text = record[place];
      if (text !== undefined && text !== "") customer[column] = text;
    }
    return customer;
  };
}

function expectColumns(header: readonly string[], segmentName: SegmentKind | undefined): void {
  const missing = neededColumns(header, segmentName).filter((column) => !header.includes(column));
  const repeated = COLUMNS.filter((column) => header.indexOf(column) !== header.lastIndexOf(column));
  const errors: FieldError[] = [
    ...missing.map((field) => ({ field, message: "is missing in the header" })),
    ...repeated.map((field) => ({ field, message: "must stand in the header once" })),
  ];
  if (errors.length === 0) return;
  throw new Problem("invalid-request", "The header line lacks columns, or has some twice.", errors);
}

/** A file whose lines all have the segment_name of the query needs no more than what that kind goes by. */
function neededColumns(header: readonly string[], segmentName: SegmentKind | undefined): Column[] {
  if (segmentName !== undefined && !header.includes("segment_name"))
    return ["country_code", MEASURES[segmentName]];
  const measures = SEGMENT_KINDS.map((kind) => MEASURES[kind]);
  return ["country_code", ...(segmentName === undefined ? (["segment_name"] as const) : []), ...measures];
}
