import { isUtf8 } from "node:buffer";

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
/** Of a character, in bytes. */
const MAX_LENGTH = 4;

/** Holds bytes that come in pieces against UTF-8, whichever byte a piece ends with. */
export class Utf8Check {
  /** The last character so far, which the next piece may go on with. */
  #begun: Uint8Array = new Uint8Array();

  /**
   * @param line that the bytes begin in.
   * @throws Error that names the line of what is not UTF-8.
   */
  check(bytes: Uint8Array, line: number): void {
    const text = this.#begun.length === 0 ? bytes : Buffer.concat([this.#begun, bytes]);
    const end = endOfWholeCharacters(text);
    assertUtf8(text.subarray(0, end), line);
    this.#begun = text.subarray(end);
  }

  /** @throws Error where the text ends within a character. */
  end(line: number): void {
    assertUtf8(this.#begun, line);
  }
}

/** Where the last character begins, if it is one of several bytes: more of them may follow. */
function endOfWholeCharacters(text: Uint8Array): number {
  for (let at = text.length - 1; at >= Math.max(0, text.length - MAX_LENGTH); at--) {
    const byte = text[at] ?? 0;
    if (byte < 0x80) return at + 1;
    if (byte >= 0xc0) return at;
  }
  return text.length;
}

/** No byte of a longer character is a line break, so that each line is UTF-8 by itself or is not. */
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
