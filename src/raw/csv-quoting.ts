const QUOTE = 0x22;
const COMMA = 0x2c;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Where in a CSV the check stands. */
type Place = "field start" | "plain field" | "quoted field" | "quote in quoted field";

/**
 * Holds the bytes of a CSV against the quoting of RFC 4180, which DuckDB takes less strictly: it reads `C"3`, `"C3" ` and
 * ` "C3"`, and each as something else. Text without quotes is only looked through for one.
 */
export class QuotingCheck {
  #place: Place = "field start";
  #line = 1;

  /** @throws Error that names the line of a quote that is not where one can be. */
  check(bytes: Uint8Array): void {
    if (this.#place !== "quoted field" && this.#place !== "quote in quoted field" && !bytes.includes(QUOTE)) {
      this.#skip(bytes);
      return;
    }
    for (const byte of bytes) {
      if (byte === LINE_FEED) this.#line++;
      this.#place = this.#next(byte);
    }
  }

  /** @throws Error where the file ends within a quoted field. */
  end(): void {
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
    for (let at = bytes.indexOf(LINE_FEED); at !== -1; at = bytes.indexOf(LINE_FEED, at + 1)) this.#line++;
    this.#place = this.#next(last);
  }
}
