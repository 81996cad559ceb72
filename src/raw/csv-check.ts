import { Utf8Check } from "./utf8-check.js";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Where in a CSV the check stands. */
type Place = "field start" | "plain field" | "quoted field" | "quote in quoted field";

/** DuckDB's own limit of a row, in bytes. Above sixteen times as many it leaves out rows, and says nothing. */
export const MAX_ROW_BYTES = 2_000_000;

/**
 * Holds the bytes of a CSV against the quoting of RFC 4180, which DuckDB takes less strictly: it reads `C"3`, `"C3" ` and
 * ` "C3"`, and each as something else; against UTF-8, which it looks for in the values that are read alone, and so neither
 * in the header nor in most other columns; and against the longest row that it reads. Text without quotes is only looked
 * through.
 */
export class CsvCheck {
  #place: Place = "field start";
  #line = 1;
  /** Bytes of the row that is not at its end yet. */
  #rowBytes = 0;
  readonly #characters = new Utf8Check();

  /** @throws Error that names the line of a wrong quote or of what is not UTF-8, or of a row that is too long. */
  check(bytes: Uint8Array): void {
    this.#characters.check(bytes, this.#line);
    if (this.#place !== "quoted field" && this.#place !== "quote in quoted field" && !bytes.includes(QUOTE)) {
      this.#skip(bytes);
      return;
    }
    for (const byte of bytes) {
      if (byte === LINE_FEED) this.#line++;
      this.#place = this.#next(byte);
      if (this.#place === "field start" && byte !== COMMA) this.#rowBytes = 0;
      else this.#grow(1);
    }
  }

  /** @throws Error where the file ends within a quoted field, or within a character. */
  end(): void {
    this.#characters.end(this.#line);
    if (this.#place === "quoted field") throw new Error("a quote is not closed");
  }

  #next(byte: number): Place {
    const isSeparator = byte === COMMA || byte === LINE_FEED || byte === CARRIAGE_RETURN;
    switch (this.#place) {
      case "field start":
      case "plain field":
        if (isSeparator) return "field start";
        if (byte !== QUOTE) return "plain field";
        if (this.#place === "field start") return "quoted field";
        throw new Error(`line ${this.#line} has a quote within a value that does not begin with one`);
      case "quoted field":
        return byte === QUOTE ? "quote in quoted field" : "quoted field";
      case "quote in quoted field":
        if (isSeparator) return "field start";
        if (byte === QUOTE) return "quoted field";
        throw new Error(`line ${this.#line} has text after a closing quote`);
    }
  }

  /** Bytes without a quote, outside of quotes: only the lines and the last byte matter. */
  #skip(bytes: Uint8Array): void {
    const last = bytes.at(-1);
    if (last === undefined) return;
    let begin = 0;
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, begin)) {
      this.#grow(at - begin);
      this.#rowBytes = 0;
      this.#line++;
      begin = at + 1;
    }
    // A row can also end in a carriage return alone.
    const end = bytes.lastIndexOf(CARRIAGE_RETURN) + 1;
    if (end > begin) this.#rowBytes = 0;
    this.#grow(bytes.length - Math.max(begin, end));
    this.#place = this.#next(last);
  }

  #grow(bytes: number): void {
    this.#rowBytes += bytes;
    if (this.#rowBytes > MAX_ROW_BYTES)
      throw new Error(`line ${this.#line} belongs to a row of more than ${MAX_ROW_BYTES} bytes`);
  }
}
