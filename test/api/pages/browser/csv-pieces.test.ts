import { describe, expect, it } from "@jest/globals";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import {
  firstRecords,
  piecesOf,
  type Bytes,
  type Piece,
} from "../../../../src/api/pages/browser/campaign/csv-pieces.js";

const bytesOf = (text: string): Bytes => new TextEncoder().encode(text);
const textOf = (...parts: Bytes[]) => Buffer.concat(parts).toString();

/** A field as any program may write it: with quotes where it needs them, and sometimes where it does not. */
const field = fc
  .tuple(
    fc.string({ unit: fc.constantFrom("a", "é", "😀", '"', ",", "\n", "\r\n", "\r", " "), maxLength: 8 }),
    fc.boolean(),
  )
  .map(([text, isQuoted]) => (isQuoted || /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text));
const newline = fc.constantFrom("\n", "\r\n");
const record = fc
  .tuple(fc.array(field, { minLength: 1, maxLength: 3 }), newline, fc.array(newline, { maxLength: 2 }))
  .map(([fields, end, blanks]) => fields.join(",") + end + blanks.join(""));
const file = fc
  .record({
    mark: fc.constantFrom("", "\uFEFF"),
    blanks: fc.array(newline, { maxLength: 2 }),
    header: newline.map((end) => `id,"na\nme"${end}`),
    records: fc.array(record, { maxLength: 12 }),
    isEnded: fc.boolean(),
  })
  .map(({ mark, blanks, header, records, isEnded }) => {
    const text = mark + blanks.join("") + header + records.join("");
    return isEnded ? text : text.replace(/(\r?\n)+$/, "");
  });

function read(text: string): string[][] {
  return parse(text, {
    bom: true,
    record_delimiter: ["\r\n", "\n"],
    relax_column_count: true,
    skip_empty_lines: true,
  });
}

/** Cuts at any places. */
async function* chunksOf(bytes: Bytes, sizes: readonly number[]): AsyncGenerator<Bytes> {
  let start = 0;
  for (let turn = 0; start < bytes.length; turn += 1) {
    await Promise.resolve();
    const end = start + (sizes[turn % sizes.length] ?? bytes.length);
    yield bytes.slice(start, end);
    start = end;
  }
}

async function cut(text: string, limit: number, sizes = [1_000_000]): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for await (const piece of piecesOf(chunksOf(bytesOf(text), sizes), limit)) pieces.push(piece);
  return pieces;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 });

describe("the pieces of a file", () => {
  it("have all its bytes, whatever the file has and wherever it is cut", async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.integer({ min: 1, max: 80 }), sizes, async (text, limit, chunks) => {
        const pieces = await cut(text, limit, chunks);
        const [{ header } = { header: bytesOf("") }] = pieces;
        expect(textOf(header, ...pieces.map(({ records }) => records))).toBe(text);
      }),
    );
  });

  it("are read as the file is, each with the header in front", async () => {
    // Room for the longest record that is made.
    const LIMIT = 128;
    await fc.assert(
      fc.asyncProperty(file, sizes, async (text, chunks) => {
        const pieces = await cut(text, LIMIT, chunks);
        const parts = pieces.map(({ header, records }) => read(textOf(header, records)));
        const [header] = read(text);
        for (const part of parts) expect(part[0]).toEqual(header);
        expect(parts.flatMap((part) => part.slice(1))).toEqual(read(text).slice(1));
        for (const { records } of pieces) expect(records.length).toBeLessThanOrEqual(LIMIT);
      }),
    );
  });

  it("are full", async () => {
    const pieces = await cut(`id\n${"123456789\n".repeat(10)}`, 35);
    expect(pieces.map(({ records }) => records.length)).toEqual([30, 30, 30, 10]);
  });

  it.each([
    ["nothing", "", [["", ""]]],
    ["a header alone", "id,name", [["id,name", ""]]],
    ["a header and its newline", "id,name\n", [["id,name\n", ""]]],
    ["a quote without its end", 'id\n"a\nb\nc\n', [["id\n", '"a\nb\nc\n']]],
  ])("of %s are one", async (_what, text, expected) => {
    const pieces = await cut(text, 100);
    expect(pieces.map(({ header, records }) => [textOf(header), textOf(records)])).toEqual(expected);
  });

  it("do not grow with a record that has no end, nor with such a header", async () => {
    const endless = await cut(`id\n"${"a".repeat(1_000)}`, 100, [30]);
    expect(Math.max(...endless.map(({ records }) => records.length))).toBe(100);
    const [first] = await cut("a".repeat(1_000), 100, [30]);
    expect(first?.header.length).toBeLessThanOrEqual(130);
  });
});

describe("the first records", () => {
  it("are as many as asked for, blank lines not counted", () => {
    const records = bytesOf('a\n\n\r\n"b\n\n",1\r\nc\nd');
    expect(textOf(firstRecords(records, 2))).toBe('a\n\n\r\n"b\n\n",1\r\n');
    expect(textOf(firstRecords(records, 4))).toBe(textOf(records));
    expect(textOf(firstRecords(records, 9))).toBe(textOf(records));
  });
});
