import { Buffer, isUtf8 } from "node:buffer";
import type { FieldError } from "../base/field-errors.js";

/** A file whose lines are longer is not a file of customers. The service would have to hold them in memory. */
export const MAX_LINE_BYTES = 65_536;

/** A file that is not a file of customers, or whose lines cannot be read any further. */
export class UnreadableFile extends Error {
  override readonly name = "UnreadableFile";

  constructor(
    /** The fault, and the remedy. */
    message: string,
    readonly errors: readonly FieldError[],
  ) {
    super(message);
  }
}

/** How the characters of a file are written. */
export const CHARSETS = ["utf-8", "windows-1252"] as const;
export type Charset = (typeof CHARSETS)[number];

/** A line of a file, without its newline. */
export interface FileLine {
  /** From 1, with blank lines. */
  readonly number: number;
  readonly text: string;
  /** Why the text is not exactly that of the file. */
  readonly fault?: string;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = Buffer.from("\uFEFF");

/** The lines of a file, some at a time. A line that cannot be read has a fault, and does not stop the others. */
export class FileLines {
  readonly #bytes: AsyncIterable<Buffer>;
  readonly #charset: Charset;
  #hasByteOrderMark = false;

  constructor(bytes: AsyncIterable<Buffer>, charset: Charset) {
    this.#bytes = bytes;
    this.#charset = charset;
  }

  /** Known when the first lines are there. */
  get hasByteOrderMark(): boolean {
    return this.#hasByteOrderMark;
  }

  /** @throws UnreadableFile if the file is of another kind, and faults of reading the bytes. */
  async *[Symbol.asyncIterator](): AsyncGenerator<FileLine[]> {
    let rest: Buffer = Buffer.alloc(0);
    let number = 0;
    const linesOf = (block: Buffer) => {
      const lines = this.#linesOf(number === 0 ? this.#opened(block) : block, number + 1);
      number += lines.length;
      return lines;
    };
    for await (const piece of this.#bytes) {
      const block = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
      const end = block.lastIndexOf(NEWLINE);
      // A line that is too long is cut, but not so much that its length is lost.
      rest = end === -1 ? block.subarray(0, MAX_LINE_BYTES + 1) : Buffer.from(block.subarray(end + 1));
      if (end !== -1) yield linesOf(block.subarray(0, end));
    }
    if (rest.length > 0) yield linesOf(rest);
  }

  #opened(block: Buffer): Buffer {
    if (block.subarray(0, 4).toString("latin1") === "PK\x03\x04")
      throw otherKind("It is an Excel workbook or a zip file. Save it as “CSV UTF-8” first.");
    if (["fffe", "feff"].includes(block.subarray(0, 2).toString("hex")))
      throw otherKind("Its characters are in UTF-16. Save it as “CSV UTF-8” first.");
    this.#hasByteOrderMark = block.subarray(0, 3).equals(BYTE_ORDER_MARK);
    return this.#hasByteOrderMark ? block.subarray(3) : block;
  }

  #linesOf(block: Buffer, first: number): FileLine[] {
    // The usual case: all lines at once.
    if (block.length <= MAX_LINE_BYTES && this.#charset === "utf-8" && isUtf8(block))
      return block
        .toString()
        .split("\n")
        .map((text, index) => ({ number: first + index, text }));
    return [...splitLines(block)].map((bytes, index) => this.#lineOf(bytes, first + index));
  }

  #lineOf(bytes: Buffer, number: number): FileLine {
    if (bytes.length > MAX_LINE_BYTES)
      return {
        number,
        text: bytes.toString("utf8", 0, 100),
        fault: `has more than ${MAX_LINE_BYTES.toLocaleString("en")} bytes`,
      };
    if (this.#charset === "windows-1252") {
      const text = fromWindows1252(bytes);
      return text.includes(UNDEFINED) ? { number, text, fault: "is not in Windows-1252" } : { number, text };
    }
    const text = bytes.toString();
    return isUtf8(bytes) ? { number, text } : { number, text, fault: NOT_UTF8 };
  }
}

const NOT_UTF8 =
  "is not in UTF-8. Excel’s “CSV” is in Windows-1252. Send the file as Windows-1252, or save it as “CSV UTF-8”";

function otherKind(detail: string): UnreadableFile {
  return new UnreadableFile(`The file cannot be read. ${detail}`, [
    { field: "body", message: "must be a text of lines" },
  ]);
}

function* splitLines(block: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = block.indexOf(NEWLINE); end !== -1; end = block.indexOf(NEWLINE, start)) {
    yield block.subarray(start, end);
    start = end + 1;
  }
  yield block.subarray(start);
}

/** A line may also end with a carriage return. */
export function withoutReturn(text: string): string {
  return text.endsWith("\r") ? text.slice(0, -1) : text;
}

/** Stands for a byte that has no character. */
const UNDEFINED = "\uFFFD";
/** The characters that differ from Latin-1: of the bytes 80 to 9f. */
const CHARACTERS = "€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ";

function fromWindows1252(bytes: Buffer): string {
  return bytes
    .toString("latin1")
    .replace(/[\x80-\x9f]/g, (unit) => CHARACTERS.charAt(unit.charCodeAt(0) - 0x80));
}
