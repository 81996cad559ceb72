import { isUtf8 } from "node:buffer";
import { Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { parse } from "csv-parse/sync";
import { isAbort, messageOf, PipelineError } from "../base/errors.js";
import { machineFault } from "../base/machine-faults.js";
import { counting } from "../base/words.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import type { Findings } from "./raw-faults.js";
import type { FileColumn, InspectedFile } from "./raw-file.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** DuckDB's own limit of a row, in bytes. Above sixteen times this size it silently skips rows. */
const MAX_ROW_BYTES = 2_000_000;
/**
 * DuckDB divides files of 8 MB and more between threads. A thread that begins within a quoted value reads its lines
 * as rows.
 */
const DIVIDED_FROM_BYTES = 4_000_000;

/**
 * Reads the columns of a CSV file from its header line, and the whole file. DuckDB does not detect a truncated
 * compressed file, nor extra empty fields of a row, nor a row that is too long for it. It misses some wrong quotes,
 * and some bytes that are not UTF-8. If the header line is valid, the result has the columns even of a faulty file.
 */
export async function inspectCsvFile(zone: Zone, file: ZoneFile): Promise<Findings<InspectedFile>> {
  const check = new CsvCheck();
  const header: Buffer[] = [];
  let reason: string | undefined;
  try {
    await readThrough(zone, file, check, header);
  } catch (error) {
    if (error instanceof PipelineError || isAbort(error)) throw error;
    const fault = machineFault(error);
    if (fault !== undefined) throw fault;
    reason = reasonOf(error);
  }
  const columns = columnsOf(check, Buffer.concat(header));
  // DuckDB would silently misread the rest of such a header, and with it all rows.
  if (columns.some(({ name }) => /[\r\n]/.test(name)))
    reason ??= "the header line has a name with a line break";
  const isReadInOrder = check.hasQuotedLineBreaks && check.bytes >= DIVIDED_FROM_BYTES;
  const result: InspectedFile = {
    file,
    format: "csv",
    columns,
    rows: check.rows,
    ...(isReadInOrder ? { isReadInOrder } : {}),
  };
  return {
    results: columns.length === 0 && reason !== undefined ? [] : [result],
    faults: reason === undefined ? [] : [{ path: file.path, reason }],
  };
}

/**
 * Checks all bytes of a file.
 * @param beginning gets the bytes of the header line.
 */
async function readThrough(zone: Zone, file: ZoneFile, check: CsvCheck, beginning: Buffer[]): Promise<void> {
  const checked = new Writable({
    write(chunk: Buffer, _encoding, done) {
      if (check.header === undefined) beginning.push(chunk);
      try {
        check.check(chunk);
        done();
      } catch (error) {
        done(error instanceof Error ? error : new Error(messageOf(error)));
      }
    },
  });
  if (file.path.endsWith(".gz")) await pipeline(zone.read(file), createGunzip(), checked);
  else await pipeline(zone.read(file), checked);
  check.end();
}

function columnsOf({ header }: CsvCheck, beginning: Buffer): FileColumn[] {
  if (header === undefined) return [];
  const [names = []] = parse(beginning.subarray(header.begin, header.end), { relax_column_count: true });
  return names.map((name) => ({ name, duckDbName: name, type: "VARCHAR" }));
}

/** The meaning of zlib's codes for a gzip file. */
const GZIP_FAULTS: Readonly<Record<string, string>> = {
  "unexpected end of file": "its gzip data is incomplete; copy the file again",
  "incorrect header check": "it has bytes that are not gzip; compress the CSV again with gzip",
};

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  if (!(error instanceof Error && "code" in error && String(error.code).startsWith("Z_"))) return message;
  return GZIP_FAULTS[message] ?? `its gzip data is damaged (${message}); copy the file again`;
}

/** The kinds of line ends. */
type LineEnd = "LF" | "CRLF" | "CR";

/** The state of the check. After a quote or a carriage return, the next byte decides its meaning. */
type Place = "unquoted" | "quoted" | "after a quote" | "after a carriage return";

/** The header line of a CSV: its position in bytes, without its byte order mark and its line end. */
interface CsvHeader {
  readonly begin: number;
  readonly end: number;
  readonly fields: number;
}

/**
 * Checks the bytes of a CSV and counts its rows, so that no fault of DuckDB's own reader stays hidden. It refuses
 * everything that DuckDB reads wrong or refuses without a position. That is: quotes against RFC 4180, bytes that are
 * not UTF-8, rows with more or fewer fields than the header, mixed line ends, and rows that are too long. Lines are
 * counted as editors count them.
 */
export class CsvCheck {
  readonly #characters = new Utf8Check();
  #place: Place = "unquoted";
  /** The number of bytes before the current ones. */
  #position = 0;
  #lastByte = COMMA;
  #line = 1;
  #lineEnd: LineEnd | undefined;
  #rowBegin = 0;
  #rowLine = 1;
  #quoteLine = 1;
  #commas = 0;
  #header: CsvHeader | undefined;
  #rows = 0;
  #hasQuotedLineBreaks = false;

  /** Undefined until the header line is complete. */
  get header(): CsvHeader | undefined {
    return this.#header;
  }

  /** The rows below the header line. Blank lines do not count. */
  get rows(): number {
    return this.#rows;
  }

  get hasQuotedLineBreaks(): boolean {
    return this.#hasQuotedLineBreaks;
  }

  /** The number of checked bytes. */
  get bytes(): number {
    return this.#position;
  }

  /**
   * @param bytes the next bytes of the file.
   * @throws Error with the fault and its line.
   */
  check(bytes: Uint8Array): void {
    this.#characters.check(bytes, this.#line);
    let at = this.#position < BYTE_ORDER_MARK.length ? this.#skipMark(bytes) : 0;
    while (at < bytes.length) at = this.#readOn(bytes, at);
    this.#position += bytes.length;
    this.#lastByte = bytes.at(-1) ?? this.#lastByte;
    this.#assertRowLength(this.#position);
  }

  /** @throws Error if the file ends within a quoted value or a character, or if its last row is faulty. */
  end(): void {
    this.#characters.end(this.#line);
    if (this.#place === "quoted") throw new Error(`line ${this.#quoteLine} has a quote that is not closed`);
    // A CRLF file that was cut between the two characters has lost nothing.
    if (this.#place === "after a carriage return")
      this.#endLine(this.#lineEnd === "CRLF" ? "CRLF" : "CR", this.#position - 1, this.#position);
    else if (this.#position > this.#rowBegin) this.#endRow(this.#position);
  }

  #skipMark(bytes: Uint8Array): number {
    const rest = BYTE_ORDER_MARK.slice(this.#position);
    const differs = rest.findIndex((byte, at) => byte !== bytes[at]);
    if (differs !== -1) return differs;
    this.#rowBegin = BYTE_ORDER_MARK.length;
    return rest.length;
  }

  /** @returns the end of the bytes that were read. */
  #readOn(bytes: Uint8Array, at: number): number {
    switch (this.#place) {
      case "unquoted":
        return this.#readUnquoted(bytes, at);
      case "quoted":
        return this.#readQuoted(bytes, at);
      case "after a quote":
        return this.#readAfterQuote(bytes, at);
      case "after a carriage return":
        return this.#readAfterCarriageReturn(bytes, at);
    }
  }

  /** The loop over most bytes of most files. */
  #readUnquoted(bytes: Uint8Array, from: number): number {
    let commas = 0;
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      // Letters and digits are above all bytes with a meaning.
      if (byte > COMMA) continue;
      if (byte === COMMA) commas++;
      else if (byte === LINE_FEED) {
        this.#commas += commas;
        commas = 0;
        this.#endLine("LF", this.#position + at, this.#position + at + 1);
      } else if (byte === CARRIAGE_RETURN || byte === QUOTE) break;
    }
    this.#commas += commas;
    if (at === bytes.length) return at;
    if (bytes[at] === QUOTE) this.#openQuote(bytes, at);
    else this.#place = "after a carriage return";
    return at + 1;
  }

  #openQuote(bytes: Uint8Array, at: number): void {
    const before = at === 0 ? this.#lastByte : bytes[at - 1];
    if (before !== COMMA && this.#position + at !== this.#rowBegin)
      throw new Error(`line ${this.#line} has a quote in a value without quotes around it`);
    this.#quoteLine = this.#line;
    this.#place = "quoted";
  }

  #readQuoted(bytes: Uint8Array, from: number): number {
    let at = from;
    for (; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (byte > QUOTE) continue;
      if (byte === QUOTE) break;
      if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) continue;
      this.#hasQuotedLineBreaks = true;
      const before = at === 0 ? this.#lastByte : bytes[at - 1];
      if (byte === CARRIAGE_RETURN || before !== CARRIAGE_RETURN) this.#line++;
    }
    if (at === bytes.length) return at;
    this.#place = "after a quote";
    return at + 1;
  }

  #readAfterQuote(bytes: Uint8Array, at: number): number {
    const byte = bytes[at];
    if (byte === QUOTE) {
      this.#place = "quoted";
      return at + 1;
    }
    if (byte !== COMMA && byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
      const opened = this.#quoteLine === this.#line ? "" : `; the quote opened in line ${this.#quoteLine}`;
      throw new Error(`line ${this.#line} has text after a closing quote${opened}`);
    }
    this.#place = "unquoted";
    return at;
  }

  #readAfterCarriageReturn(bytes: Uint8Array, at: number): number {
    const here = this.#position + at;
    const isPair = bytes[at] === LINE_FEED;
    this.#endLine(isPair ? "CRLF" : "CR", here - 1, isPair ? here + 1 : here, bytes[at]);
    this.#place = "unquoted";
    return isPair ? at + 1 : at;
  }

  /**
   * @param end the end of the row, and of its line.
   * @param next the start of the next row.
   * @param follower the byte after a carriage return.
   */
  #endLine(lineEnd: LineEnd, end: number, next: number, follower?: number): void {
    const isBlank = end === this.#rowBegin;
    this.#lineEnd ??= lineEnd;
    if (lineEnd !== this.#lineEnd) throw this.#otherLineEnd(lineEnd, this.#lineEnd, isBlank, follower);
    if (!isBlank) this.#endRow(end);
    else if (this.#header === undefined)
      throw new Error("line 1 is empty; the first line must be the header");
    this.#line++;
    this.#rowBegin = next;
    this.#rowLine = this.#line;
  }

  #otherLineEnd(found: LineEnd, expected: LineEnd, isBlank: boolean, follower: number | undefined): Error {
    const remedy = "use the same line ending everywhere, and quote values with line breaks";
    if (found === "CRLF" && expected === "CR" && isBlank)
      return new Error(`line ${this.#line - 1} ends in CR CR LF; ${remedy}`);
    if (found === "CR" && follower === CARRIAGE_RETURN)
      return new Error(`line ${this.#line} ends in two carriage returns (CR CR); ${remedy}`);
    if (found === "CR" && follower !== undefined)
      return new Error(`line ${this.#line} has a carriage return (CR) outside of quotes; ${remedy}`);
    return new Error(`line ${this.#line} ends in ${found}, but line 1 in ${expected}; ${remedy}`);
  }

  #endRow(end: number): void {
    const fields = this.#commas + 1;
    this.#commas = 0;
    this.#assertRowLength(end);
    if (this.#header === undefined) {
      this.#header = { begin: this.#rowBegin, end, fields };
      return;
    }
    if (fields !== this.#header.fields) throw this.#otherFields(fields, this.#header.fields);
    this.#rows++;
  }

  #otherFields(found: number, expected: number): Error {
    const remedy = found > expected ? "; quote values that contain a comma" : "";
    return new Error(
      `line ${this.#rowLine} has ${counting(found, "field")}, but the header has ${expected}${remedy}`,
    );
  }

  #assertRowLength(end: number): void {
    if (end - this.#rowBegin <= MAX_ROW_BYTES) return;
    const open = this.#place === "quoted" ? `; the quote in line ${this.#quoteLine} may not be closed` : "";
    throw new Error(`the row in line ${this.#rowLine} has more than ${MAX_ROW_BYTES} bytes${open}`);
  }
}

/** The maximum size of a character, in bytes. */
const MAX_CHARACTER_BYTES = 4;

/** Checks that bytes are UTF-8. They arrive in pieces, which may end within a character. */
export class Utf8Check {
  /** The incomplete last character so far, which the next piece may complete. */
  #begun: Uint8Array = new Uint8Array();

  /**
   * @param line the line in which the bytes begin.
   * @throws Error that names the line that is not UTF-8.
   */
  check(bytes: Uint8Array, line: number): void {
    const text = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    const end = endOfWholeCharacters(text);
    assertUtf8(text.subarray(0, end), line);
    this.#begun = text.subarray(end);
  }

  /** @throws Error if the text ends within a character. */
  end(line: number): void {
    assertUtf8(this.#begun, line);
  }
}

/** The start of the last character if it has several bytes: the rest may follow. */
function endOfWholeCharacters(text: Uint8Array): number {
  for (let at = text.length - 1; at >= Math.max(0, text.length - MAX_CHARACTER_BYTES); at--) {
    const byte = text[at] ?? 0;
    if (byte < 0x80) return at + 1;
    if (byte >= 0xc0) return at;
  }
  return text.length;
}

/** No byte of a longer character is a line break. So each line can be checked alone. */
function assertUtf8(text: Uint8Array, firstLine: number): void {
  if (isUtf8(text)) return;
  let line = firstLine;
  let begin = 0;
  for (const [at, byte] of text.entries()) {
    if (byte !== LINE_FEED && (byte !== CARRIAGE_RETURN || text[at + 1] === LINE_FEED)) continue;
    if (!isUtf8(text.subarray(begin, at))) break;
    line++;
    begin = at + 1;
  }
  throw new Error(`line ${line} is not UTF-8; save the file as UTF-8`);
}
