import { type CsvErrorCode, parse, type Parser } from "csv-parse";
import type { FieldError } from "../base/field-errors.js";
import { SEGMENT_KINDS, type SegmentKind } from "./segment-rules.js";

/** A file with longer lines is not a file of customers, and would have to stay in memory. */
export const MAX_LINE_BYTES = 65_536;

/** A line of a file that is too long, in words. */
export const LINE_TOO_LONG = `has a line of more than ${MAX_LINE_BYTES.toLocaleString("en")} bytes`;

/** A file of customers that cannot be read on. */
export class UnreadableCsv extends Error {
  override readonly name = "UnreadableCsv";

  constructor(
    /** The fault, for example `has a quote in a wrong place`. */
    message: string,
    /** The columns at fault, if the header is. */
    readonly columns: readonly FieldError[] = [],
  ) {
    super(message);
  }
}

const COLUMNS = ["customer_id", "country_code", "segment_name", "total_orders", "last_order_ts"] as const;
type Column = (typeof COLUMNS)[number];

/** The measure of each kind of segment. */
const MEASURES: Readonly<Record<SegmentKind, Column>> = {
  frequent_segment: "total_orders",
  recency_segment: "last_order_ts",
};

/**
 * The customers of CSV with a header line, those of some rows at a time: their texts by column, without those that are
 * empty. A row with more or fewer values than the header is undefined.
 * @param segmentName of the rows that name none.
 * @throws UnreadableCsv where the header lacks columns, or the CSV cannot be read on. Everything before is valid.
 */
export async function* customersOfCsv(
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
  throw new UnreadableCsv("header line lacks columns, or has some twice", errors);
}

/** If the query has the segment_name of all lines, the file needs only the measure of that kind. */
function neededColumns(header: readonly string[], segmentName: SegmentKind | undefined): Column[] {
  if (segmentName !== undefined && !header.includes("segment_name"))
    return ["country_code", MEASURES[segmentName]];
  const measures = SEGMENT_KINDS.map((kind) => MEASURES[kind]);
  return ["country_code", ...(segmentName === undefined ? (["segment_name"] as const) : []), ...measures];
}

/**
 * The records of CSV, some at a time, never none. Lines without anything do not count.
 * @throws UnreadableCsv for a quote in a wrong place or without its end, and for a record that is too long.
 */
async function* csvRecords(texts: AsyncIterable<string>): AsyncGenerator<string[][]> {
  const parser = openParser();
  const length = new OpenRecord(parser);
  const quotes = new Quotes();
  let added = 0;
  for await (const text of texts) {
    // The parser looks some bytes ahead: blank lines, which do not count, let go of a record that is complete.
    const isComplete = !quotes.areOpenAfter(text) && text.endsWith("\n");
    const bytes = Buffer.from(isComplete ? text + BLANK_LINES : text);
    const error = await finished((done) => withoutStacks(() => parser.write(bytes, done)));
    const fault = error === undefined ? length.grownBy(bytes.length) : unreadableOf(error, added);
    yield* taken(parser);
    if (fault !== undefined) throw fault;
    if (isComplete) added += BLANK_LINES.length;
  }
  const error = await finished((done) => parser.end(done));
  yield* taken(parser);
  if (error !== undefined) throw unreadableOf(error, added);
}

/** The parser makes an error of every record of another length, and its stack would cost more than all the rest. */
function withoutStacks<Result>(work: () => Result): Result {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return work();
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

/** As many as the parser looks ahead after a quote. */
const BLANK_LINES = "\n\n\n";

/** Whether a text ends within quotes. In CSV that can be read, each quote opens or closes; a quote in quotes is two. */
class Quotes {
  #areOpen = false;

  areOpenAfter(text: string): boolean {
    for (let place = text.indexOf('"'); place !== -1; place = text.indexOf('"', place + 1))
      this.#areOpen = !this.#areOpen;
    return this.#areOpen;
  }
}

const OPTIONS = {
  record_delimiter: ["\r\n", "\n"],
  relax_column_count: true,
  skip_empty_lines: true,
  max_record_size: MAX_LINE_BYTES,
  // Records are taken before more text is written, so the parser never holds one back.
  readableHighWaterMark: Number.MAX_SAFE_INTEGER,
};

function openParser(): Parser {
  // The writer gets the fault, too.
  return parse(OPTIONS).on("error", () => undefined);
}

/** How much is known of a record whose end has not come: its empty fields take memory, too. */
class OpenRecord {
  readonly #parser: Parser;
  #ended = 0;
  #bytes = 0;

  constructor(parser: Parser) {
    this.#parser = parser;
  }

  /** The fault of a record that has grown too long. */
  grownBy(bytes: number): UnreadableCsv | undefined {
    const { records, empty_lines } = this.#parser.info;
    this.#bytes = records + empty_lines === this.#ended ? this.#bytes + bytes : 0;
    this.#ended = records + empty_lines;
    return this.#bytes > MAX_LINE_BYTES ? new UnreadableCsv(LINE_TOO_LONG + OPEN_QUOTE) : undefined;
  }
}

const OPEN_QUOTE = "; a quote may lack its end";

type ParserError = Error & { readonly code?: CsvErrorCode; readonly lines?: number };

function finished(
  work: (done: (error?: ParserError | null) => void) => void,
): Promise<ParserError | undefined> {
  return new Promise((resolve) => {
    work((error) => {
      resolve(error ?? undefined);
    });
  });
}

/** @param added how many blank lines the parser was given that the file has not. */
function unreadableOf({ code, lines = 0 }: ParserError, added: number): UnreadableCsv {
  if (code === "CSV_MAX_RECORD_SIZE") return new UnreadableCsv(LINE_TOO_LONG + OPEN_QUOTE);
  const line = (lines - added).toString();
  return new UnreadableCsv(`has a quote in a wrong place, or without its end, near line ${line}`);
}

/** The records that the parser has read. Its own iterator would wait for each record. */
function* taken(parser: Parser): Generator<string[][]> {
  const records: string[][] = [];
  for (let next = read(parser); next !== null; next = read(parser)) records.push(next);
  if (records.length > 0) yield records;
}

function read(parser: Parser): string[] | null {
  return parser.read() as string[] | null;
}
