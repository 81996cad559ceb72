import type { FieldError } from "../base/field-errors.js";
import { counted, counting, printable } from "../base/words.js";
import { type CsvRecord, CsvRecords, valuesOf } from "./csv-records.js";
import { trimmed } from "./field-schemas.js";
import { type FileLine, type FileLines, UnreadableFile, withoutReturn } from "./file-lines.js";
import { SEGMENT_KINDS, type SegmentKind } from "./segment-rules.js";

/** A line of a file of customers. */
export interface GivenLine {
  readonly line: number;
  /** The fields that are answered by. */
  readonly customer: unknown;
  /** Its values in CSV, its text in NDJSON. They come back with the answer. */
  readonly values: readonly string[];
  readonly fault?: string;
}

/** The customers in CSV with a header line. */
export class CustomersCsv {
  readonly #lines: FileLines;
  readonly #segmentName: SegmentKind | undefined;
  #header: Header = { delimiter: ",", names: [], places: new Map() };

  /** @param segmentName it applies to lines that name none. */
  constructor(lines: FileLines, segmentName: SegmentKind | undefined) {
    this.#lines = lines;
    this.#segmentName = segmentName;
  }

  /** Known when the first lines are there. */
  get header(): Header {
    return this.#header;
  }

  get hasByteOrderMark(): boolean {
    return this.#lines.hasByteOrderMark;
  }

  /**
   * The lines, some at a time.
   * @throws UnreadableFile if the file is of another kind, or if its header line lacks columns.
   */
  async *[Symbol.asyncIterator](): AsyncGenerator<GivenLine[]> {
    let records: CsvRecords | undefined;
    for await (const lines of this.#lines) {
      let rows: readonly FileLine[] = lines;
      if (records === undefined) {
        const place = lines.findIndex(({ text }) => withoutReturn(text) !== "");
        if (place === -1) continue;
        this.#header = this.#headerOf(lines[place]);
        records = new CsvRecords(this.#header.delimiter);
        rows = lines.slice(place + 1);
      }
      yield records.take(rows).map((record) => this.#given(record));
    }
    records ??= new CsvRecords(this.#headerOf(undefined).delimiter);
    yield records.end().map((record) => this.#given(record));
  }

  #headerOf(line: FileLine | undefined): Header {
    if (line?.fault !== undefined)
      throw new UnreadableFile(`The header line ${line.fault}.`, [
        { field: "body", message: `has a header line that ${line.fault}` },
      ]);
    return readHeader(withoutReturn(line?.text ?? ""), this.#segmentName);
  }

  #given({ line, values, fault }: CsvRecord): GivenLine {
    const { names, places, delimiter } = this.#header;
    const faulty = (what: string) => ({
      line,
      values,
      customer: undefined,
      fault: `${shown(values.join(delimiter))} ${what}`,
    });
    if (fault !== undefined) return faulty(fault);
    if (values.length !== names.length)
      return faulty(
        `has ${counting(values.length, "value")}, and the header line has ${counted(names.length)}`,
      );
    const customer: Partial<Record<Column, string>> = {};
    for (const [column, place] of places) {
      const text = trimmed(values[place] ?? "");
      if (text !== "") customer[column] = text;
    }
    const { total_orders: orders } = customer;
    if (delimiter === "," || orders === undefined || !THOUSANDS.test(orders))
      return { line, values, customer };
    return {
      line,
      values,
      customer,
      fault: `total_orders ${shown(orders)} can mean two numbers. Write it without a point`,
    };
  }
}

/** Countries that separate by semicolons write a thousand as 1.000, and raw data has 1.000 for one. */
const THOUSANDS = /^\+?\d{1,3}(\.000)+$/;

const SHOWN_LENGTH = 60;

/** A value from a file, as an error has it. */
export function shown(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `“${printable(text.slice(0, SHOWN_LENGTH))}${text.length > SHOWN_LENGTH ? "…" : ""}”`;
}

const COLUMNS = ["country_code", "segment_name", "total_orders", "last_order_ts"] as const;
type Column = (typeof COLUMNS)[number];

/** Other headings that can mean only one column. */
const SHORT_NAMES: Readonly<Record<string, Column>> = {
  country: "country_code",
  orders: "total_orders",
  last_order: "last_order_ts",
};

/** The column that each kind of segment goes by. */
const MEASURES: Readonly<Record<SegmentKind, Column>> = {
  frequent_segment: "total_orders",
  recency_segment: "last_order_ts",
};

/** The first line of a file of CSV. */
export interface Header {
  readonly delimiter: string;
  /** As they are given. */
  readonly names: readonly string[];
  /** The places of the values of a customer. */
  readonly places: ReadonlyMap<Column, number>;
}

interface Candidate extends Header {
  readonly errors: readonly FieldError[];
}

const DELIMITERS: Readonly<Record<string, string>> = { ",": '","', ";": '";"', "\t": "tabs" };

/**
 * Reads the header line of CSV, whichever of three delimiters it has.
 * @param segmentName of the rows that name none.
 * @throws UnreadableFile if it lacks columns, or if two delimiters are possible.
 */
function readHeader(line: string, segmentName: SegmentKind | undefined): Header {
  const candidates = Object.keys(DELIMITERS).map((delimiter) => candidateOf(line, delimiter, segmentName));
  const [header, other] = candidates.filter(({ errors }) => errors.length === 0);
  if (header !== undefined && other === undefined) return header;
  if (header !== undefined)
    throw new UnreadableFile("The header line can be read with more than one delimiter.", [
      { field: "body", message: "must be separated by commas, by semicolons or by tabs" },
    ]);
  const [closest] = candidates.sort((one, another) => another.places.size - one.places.size);
  const { delimiter = ",", errors = [], places } = closest ?? {};
  const foreign = places?.size === 0 ? /[|^~]/.exec(line)?.[0] : undefined;
  const hint =
    foreign === undefined
      ? separatedBy(delimiter === "," ? undefined : DELIMITERS[delimiter])
      : `${separatedBy(`"${foreign}"`)}Use commas, semicolons or tabs. `;
  throw new UnreadableFile(`${hint}The header line lacks columns, or has some twice.`, errors);
}

function separatedBy(what: string | undefined): string {
  return what === undefined ? "" : `This file is separated by ${what}. `;
}

function candidateOf(line: string, delimiter: string, segmentName: SegmentKind | undefined): Candidate {
  const read = valuesOf(line, delimiter);
  const names = "values" in read ? read.values : line.split(delimiter);
  const known = names.map(columnOf);
  const places = new Map<Column, number>();
  const errors: FieldError[] = [];
  for (const column of COLUMNS) {
    const exact = known.filter(({ name }) => name === column);
    const found = exact.length > 0 ? exact : known.filter(({ name }) => SHORT_NAMES[name] === column);
    const [first] = found;
    if (first !== undefined) places.set(column, known.indexOf(first));
    if (found.length > 1) errors.push({ field: column, message: "must stand in the header once" });
  }
  const missing = neededColumns(places, segmentName).filter((column) => !places.has(column));
  const told = missing.map((field) => ({ field, message: "is missing in the header" }));
  return { delimiter, names, places, errors: [...told, ...errors] };
}

/** `Country Code` is the same as `country_code`. */
function columnOf(heading: string): { readonly name: string } {
  return { name: normalisedHeading(heading).replace(/[ _-]+/g, "_") };
}

/** A heading without the differences that do not count. */
export function normalisedHeading(heading: string): string {
  return trimmed(heading).toLowerCase();
}

/** A file whose lines all have the segment_name of the query needs only the column that this kind goes by. */
function neededColumns(
  places: ReadonlyMap<Column, number>,
  segmentName: SegmentKind | undefined,
): readonly Column[] {
  if (segmentName !== undefined && !places.has("segment_name"))
    return ["country_code", MEASURES[segmentName]];
  const measures = SEGMENT_KINDS.map((kind) => MEASURES[kind]);
  return ["country_code", ...(segmentName === undefined ? (["segment_name"] as const) : []), ...measures];
}
