import { type Bytes, joined, NEWLINE, QUOTE } from "./records.js";

/**
 * Cuts the records of CSV into pieces of whole records, as long as they may be. Only a record that is longer than a piece
 * may be is not whole: whoever reads it is to refuse it.
 */
export class RecordCutter {
  readonly #limit: number;
  /** What is not in a piece yet. */
  #bytes: Bytes = new Uint8Array();
  /** How much of it was looked at. */
  #seen = 0;
  /** Where the last whole record in it ends. */
  #end = 0;
  #isQuoted = false;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes what comes next, and gives the pieces that are full. */
  take(chunk: Bytes): Bytes[] {
    const bytes = joined(this.#bytes, chunk);
    const pieces: Bytes[] = [];
    let [start, end, isQuoted] = [0, this.#end, this.#isQuoted];
    for (let place = this.#seen; place < bytes.length; place += 1) {
      const byte = bytes[place];
      if (byte === QUOTE) isQuoted = !isQuoted;
      // Where nothing ends for so long, the record has no right end.
      const isOverlong = place - start >= this.#limit && end === start;
      if (isOverlong) end = place;
      if (place - start >= this.#limit) {
        pieces.push(bytes.subarray(start, end));
        start = end;
      }
      if (byte === NEWLINE && !isQuoted) end = place + 1;
    }
    this.#bytes = bytes.slice(start);
    this.#seen = this.#bytes.length;
    this.#end = end - start;
    this.#isQuoted = isQuoted;
    return pieces;
  }

  /** What has not filled a piece. */
  get rest(): Bytes {
    return this.#bytes;
  }
}
