import { type FileLine, MAX_LINE_BYTES, withoutReturn } from "./file-lines.js";

/** A record of CSV: its values, or the fault of its line. */
export interface CsvRecord {
  /** The line of the file that it begins on. */
  readonly line: number;
  /** A record at fault has its line here, cut at each delimiter. */
  readonly values: readonly string[];
  readonly fault?: string;
}

const STRAY_QUOTE = "has a quote in a wrong place";
const OPEN_QUOTE = "opens a quote that is not closed";

/** The values of a record of CSV, or its fault. */
export function valuesOf(
  text: string,
  delimiter: string,
): { readonly values: string[] } | { readonly fault: string } {
  if (!text.includes('"')) return { values: text.split(delimiter) };
  const values: string[] = [];
  for (let place = 0; ;) {
    if (text.charAt(place) !== '"') {
      const end = text.indexOf(delimiter, place);
      const value = text.slice(place, end === -1 ? undefined : end);
      if (value.includes('"')) return { fault: STRAY_QUOTE };
      values.push(value);
      if (end === -1) return { values };
      place = end + 1;
      continue;
    }
    const close = closingQuote(text, place + 1);
    if (close === -1) return { fault: OPEN_QUOTE };
    values.push(text.slice(place + 1, close).replaceAll('""', '"'));
    if (close + 1 === text.length) return { values };
    if (text.charAt(close + 1) !== delimiter) return { fault: STRAY_QUOTE };
    place = close + 2;
  }
}

/** Within quotes, two quotes stand for one. */
function closingQuote(text: string, from: number): number {
  let close = text.indexOf('"', from);
  while (close !== -1 && text.charAt(close + 1) === '"') close = text.indexOf('"', close + 2);
  return close;
}

/**
 * Joins lines to records. If a record of several lines cannot be read, only its first line is at fault: the lines after it are read
 * again, each by itself. Blank lines do not count.
 */
export class CsvRecords {
  readonly #delimiter: string;
  /** The lines of a record that ends within quotes. */
  #open: FileLine[] = [];
  #openLength = 0;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
  }

  /** The records that are complete with these lines. */
  take(lines: readonly FileLine[]): CsvRecord[] {
    const records: CsvRecord[] = [];
    for (const line of lines) this.#take(line, records);
    return records;
  }

  /** The rest, at the end of the file. */
  end(): CsvRecord[] {
    const records: CsvRecord[] = [];
    while (this.#open.length > 0) this.#giveUp(records);
    return records;
  }

  #take(line: FileLine, records: CsvRecord[]): void {
    if (this.#open.length > 0) {
      this.#continue(line, records);
      return;
    }
    const { number, fault } = line;
    const text = withoutReturn(line.text);
    if (text === "" && fault === undefined) return;
    const read = fault === undefined ? valuesOf(text, this.#delimiter) : { fault };
    if ("values" in read) records.push({ line: number, values: read.values });
    else if (read.fault === OPEN_QUOTE) this.#begin(line);
    else records.push(this.#faulty(line, read.fault));
  }

  #begin(line: FileLine): void {
    this.#open = [line];
    this.#openLength = line.text.length;
  }

  #continue(line: FileLine, records: CsvRecord[]): void {
    this.#open.push(line);
    this.#openLength += line.text.length + 1;
    if (line.fault !== undefined || this.#openLength > MAX_LINE_BYTES) {
      this.#giveUp(records);
      return;
    }
    // An even number of quotes closes as many as it opens.
    if (!hasOddQuotes(line.text)) return;
    const [first] = this.#open;
    const read = valuesOf(withoutReturn(this.#open.map(({ text }) => text).join("\n")), this.#delimiter);
    if (first === undefined || "fault" in read) {
      this.#giveUp(records);
      return;
    }
    this.#open = [];
    records.push({ line: first.number, values: read.values });
  }

  #giveUp(records: CsvRecord[]): void {
    const [first, ...others] = this.#open;
    this.#open = [];
    if (first !== undefined) records.push(this.#faulty(first, OPEN_QUOTE));
    for (const line of others) this.#take(line, records);
  }

  #faulty({ number, text }: FileLine, fault: string): CsvRecord {
    return { line: number, values: withoutReturn(text).split(this.#delimiter), fault };
  }
}

function hasOddQuotes(text: string): boolean {
  let isOdd = false;
  for (let place = text.indexOf('"'); place !== -1; place = text.indexOf('"', place + 1)) isOdd = !isOdd;
  return isOdd;
}
