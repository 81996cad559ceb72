import { type CsvErrorCode, parse, type Parser } from "csv-parse";
import type { Problem } from "../http/problems.js";
import { lineTooLong, MAX_LINE_BYTES, unreadable } from "../http/streaming.js";

/**
 * The records of CSV, some at a time, never none. Lines without anything do not count.
 * @throws Problem for a quote in a wrong place or without its end, and for a record that is too long.
 */
export async function* csvRecords(texts: AsyncIterable<string>): AsyncGenerator<string[][]> {
  const parser = openParser();
  const length = new OpenRecord(parser);
  const quotes = new Quotes();
  let added = 0;
  for await (const text of texts) {
    // The parser looks some bytes ahead: blank lines, which do not count, let go of a record that is complete.
    const isComplete = !quotes.areOpenAfter(text) && text.endsWith("\n");
    const bytes = Buffer.from(isComplete ? text + BLANK_LINES : text);
    const error = await finished((done) => withoutStacks(() => parser.write(bytes, done)));
    const fault = error === undefined ? length.grownBy(bytes.length) : problemOf(error, added);
    yield* taken(parser);
    if (fault !== undefined) throw fault;
    if (isComplete) added += BLANK_LINES.length;
  }
  const error = await finished((done) => parser.end(done));
  yield* taken(parser);
  if (error !== undefined) throw problemOf(error, added);
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
  // What is written is taken before more is written: a record is never held back.
  readableHighWaterMark: Number.MAX_SAFE_INTEGER,
};

function openParser(): Parser {
  // Who writes is told of the fault as well.
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
  grownBy(bytes: number): Problem | undefined {
    const { records, empty_lines } = this.#parser.info;
    this.#bytes = records + empty_lines === this.#ended ? this.#bytes + bytes : 0;
    this.#ended = records + empty_lines;
    return this.#bytes > MAX_LINE_BYTES ? lineTooLong(OPEN_QUOTE) : undefined;
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
function problemOf({ code, lines = 0 }: ParserError, added: number): Problem {
  if (code === "CSV_MAX_RECORD_SIZE") return lineTooLong(OPEN_QUOTE);
  const line = (lines - added).toString();
  return unreadable(`has a quote in a wrong place, or without its end, near line ${line}`);
}

/** What the parser has read, without the wait for each record that its own iterator has. */
function* taken(parser: Parser): Generator<string[][]> {
  const records: string[][] = [];
  for (let next = read(parser); next !== null; next = read(parser)) records.push(next);
  if (records.length > 0) yield records;
}

function read(parser: Parser): string[] | null {
  return parser.read() as string[] | null;
}
