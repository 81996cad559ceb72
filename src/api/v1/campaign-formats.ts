import type { Request, Response } from "express";
import { isObject } from "../../base/json.js";
import { customerFields, customerTexts } from "../../voucher/customer-schema.js";
import { CustomersCsv, type GivenLine, normalisedHeading, shown } from "../../voucher/customers-csv.js";
import { type FileLine, type FileLines, UnreadableFile } from "../../voucher/file-lines.js";
import type { SegmentKind } from "../../voucher/segment-rules.js";
import { CSV_TYPE, JSON_TYPE, maybeJson, NDJSON_TYPE } from "../http/bodies.js";
import { type PricedResult, type PriceSummary, RESULT_FIELDS } from "./campaign-schema.js";
import { type CsvOptions, csvText } from "./csv-text.js";

/** A line with its answer. */
export interface PricedLine {
  readonly given: GivenLine;
  readonly result: PricedResult;
}

/** A file of customers as it is read, and as it comes back. */
export interface CustomerFile {
  readonly schema: typeof customerTexts | typeof customerFields;
  /**
   * Its lines, some at a time.
   * @throws UnreadableFile if the file is of another kind.
   */
  lines(): AsyncGenerator<GivenLine[]>;
  /** The beginning of the answer. It is known when the first lines are there. */
  opening(): string;
  text(priced: readonly PricedLine[]): string;
}

export type FileType = typeof CSV_TYPE | typeof NDJSON_TYPE;

/** How a file is read and answered. */
export interface FileOptions extends Pick<CsvOptions, "escape"> {
  /** It applies to lines that name none. */
  readonly segmentName?: SegmentKind | undefined;
  /** The format of the answer. */
  readonly answer: FileType;
}

/** A file of customers in CSV, with a header line. */
export class CsvFile implements CustomerFile {
  readonly schema = customerTexts;
  readonly #customers: CustomersCsv;
  readonly #options: FileOptions;

  constructor(lines: FileLines, options: FileOptions) {
    this.#customers = new CustomersCsv(lines, options.segmentName);
    this.#options = options;
  }

  async *lines(): AsyncGenerator<GivenLine[]> {
    let isChecked = false;
    for await (const lines of this.#customers) {
      if (!isChecked) this.#expectNames();
      isChecked = true;
      yield lines;
    }
  }

  opening(): string {
    const { names } = this.#customers.header;
    if (this.#options.answer !== CSV_TYPE) return "";
    return (
      (this.#customers.hasByteOrderMark ? "\uFEFF" : "") + this.#csv([[...names, ...resultNames(names)]])
    );
  }

  text(priced: readonly PricedLine[]): string {
    const { names } = this.#customers.header;
    if (this.#options.answer === CSV_TYPE)
      return this.#csv(
        priced.map(({ given, result }) => [
          ...names.map((_name, place) => given.values[place]),
          ...RESULT_FIELDS.map((field) => cellOf(result[field])),
        ]),
      );
    const added = resultNames(names);
    return priced
      .map(({ given, result }) => {
        const fields = [
          ...names.map((name, place) => [name, given.values[place] ?? ""]),
          ...added.map((name, place) => [name, valueOf(result, place)]),
        ] as [string, unknown][];
        return `${JSON.stringify(Object.fromEntries(fields))}\n`;
      })
      .join("");
  }

  #csv(rows: Parameters<typeof csvText>[0]): string {
    return csvText(rows, { delimiter: this.#customers.header.delimiter, escape: this.#options.escape });
  }

  #expectNames(): void {
    const { names } = this.#customers.header;
    if (this.#options.answer === CSV_TYPE || new Set(names).size === names.length) return;
    throw new UnreadableFile("The header line has a name twice. An answer in JSON needs each once.", [
      { field: "body", message: "must have each name once in the header line" },
    ]);
  }
}

const PREFIX = "voucher_";

/** The names of the fields of a result. A name that the file has gets a prefix. */
export function resultNames(given: readonly string[]): readonly string[] {
  const taken = new Set(given.map(normalisedHeading));
  const clashing = RESULT_FIELDS.filter((field) => taken.has(field));
  let prefix = PREFIX;
  while (clashing.some((field) => taken.has(prefix + field))) prefix += PREFIX;
  return RESULT_FIELDS.map((field) => (taken.has(field) ? prefix + field : field));
}

function cellOf(value: PricedResult[keyof PricedResult]): string | number | null {
  return Array.isArray(value) ? value.join("; ") : value;
}

function valueOf(result: PricedResult, place: number): unknown {
  const field = RESULT_FIELDS[place];
  return field === undefined ? undefined : result[field];
}

/** A file of customers in NDJSON. It comes back in NDJSON: its lines may have different fields. */
export class NdjsonFile implements CustomerFile {
  readonly schema = customerFields;
  readonly #lines: FileLines;
  /** The names of the fields of a result. The first customer decides. */
  #names: readonly string[] | undefined;

  constructor(lines: FileLines) {
    this.#lines = lines;
  }

  async *lines(): AsyncGenerator<GivenLine[]> {
    for await (const lines of this.#lines)
      yield lines.filter(({ text }) => text.trim() !== "").map((line) => this.#given(line));
  }

  opening(): string {
    return "";
  }

  /** The text of a customer comes back as it is: numbers can have more digits than JavaScript keeps. */
  text(priced: readonly PricedLine[]): string {
    const names = this.#names ?? RESULT_FIELDS;
    return priced
      .map(({ given: { values, customer }, result }) => {
        const added = JSON.stringify(
          Object.fromEntries(names.map((name, place) => [name, valueOf(result, place)])),
        );
        const [text] = values;
        if (text === undefined || !isObject(customer)) return `${added}\n`;
        const separator = Object.keys(customer).length === 0 ? "" : ",";
        return `${text.slice(0, -1)}${separator}${added.slice(1)}\n`;
      })
      .join("");
  }

  #given({ number: line, text, fault }: FileLine): GivenLine {
    const values = [text.trim()];
    const customer = fault === undefined ? maybeJson(text) : undefined;
    if (fault !== undefined || !isObject(customer))
      return {
        line,
        values,
        customer: undefined,
        fault: `${shown(text)} ${fault ?? "must be a JSON object"}`,
      };
    this.#names ??= resultNames(Object.keys(customer));
    const clash = this.#names.find((name) => Object.hasOwn(customer, name));
    if (clash === undefined) return { line, values, customer };
    return { line, values, customer, fault: `has the field ${clash}, which the first line does not have` };
  }
}

/** The trailer field that has the totals of an answer of CSV. */
export const SUMMARY_TRAILER = "Price-Summary";
/** curl refuses a trailer of more than 4,096 bytes, with its name. */
const MAX_TRAILER_BYTES = 4_000;

/** How an answer begins and ends over HTTP. */
interface AnswerFormat {
  /** Sets headers, just before anything is sent. */
  open(request: Request, response: Response): void;
  /** The text that comes last. */
  close(response: Response, summary: PriceSummary): string;
}

export const ANSWER_FORMATS: Readonly<Record<FileType | typeof JSON_TYPE, AnswerFormat>> = {
  [CSV_TYPE]: {
    open: (request, response) => {
      response.type(CSV_TYPE);
      // Trailers are of chunks, which HTTP/1.0 does not have.
      if (request.httpVersion !== "1.0") response.setHeader("Trailer", SUMMARY_TRAILER);
    },
    close: (response, summary) => {
      response.addTrailers({ [SUMMARY_TRAILER]: trailerOf(summary) });
      return "";
    },
  },
  [NDJSON_TYPE]: {
    open: (_request, response) => void response.type(NDJSON_TYPE),
    close: (_response, summary) => `${JSON.stringify({ summary })}\n`,
  },
  [JSON_TYPE]: {
    open: (_request, response) => void response.type(JSON_TYPE),
    close: (_response, summary) => JSON.stringify({ summary }),
  },
};

function trailerOf(summary: PriceSummary): string {
  const whole = asciiJson(summary);
  if (whole.length <= MAX_TRAILER_BYTES) return whole;
  return asciiJson({ ...summary, groups: undefined, groups_omitted: true });
}

/** JSON as a field of HTTP can have it. */
function asciiJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
