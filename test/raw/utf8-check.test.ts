import { describe, expect, it } from "@jest/globals";
import { Utf8Check } from "../../src/raw/inspect-csv.js";

/** Checks bytes as one text that comes in pieces of a length. */
function check(bytes: Uint8Array, length: number): void {
  const text = new Utf8Check();
  for (let at = 0; at < bytes.length; at += length) text.check(bytes.subarray(at, at + length), 1);
  text.end(1);
}

const LENGTHS = [1, 2, 3, 4, 5, 100];

describe("a text in pieces", () => {
  it.each(LENGTHS)("of %d bytes is UTF-8 wherever they end", (length) => {
    expect(() => {
      check(Buffer.from("Peru Per\u00fa 国 🎁🎁\n\u0000\ufeff\u{10ffff}é"), length);
    }).not.toThrow();
  });

  it.each(LENGTHS)("of %d bytes is not, with any fault in any place", (length) => {
    const wrongs = [[0x80], [0xff], [0xc3], [0xe5, 0x9b], [0xf0, 0x9f, 0x8e], [0xc0, 0xaf]];
    const more = [[0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], Array<number>(9).fill(0x80)];
    for (const wrong of [...wrongs, ...more]) {
      for (const [before, after] of [
        ["", ""],
        ["", "Peru"],
        ["国", ""],
        ["国Peru", "国"],
      ] as const) {
        const bytes = Buffer.concat([Buffer.from(before), Buffer.from(wrong), Buffer.from(after)]);
        expect(() => {
          check(bytes, length);
        }).toThrow("line 1 is not UTF-8");
      }
    }
  });

  it("has its faulty line in the message", () => {
    const text = new Utf8Check();
    text.check(Buffer.from("Peru\n国"), 1);
    expect(() => {
      text.check(Buffer.from("\nPeru\nPer\u00fa\n", "latin1"), 2);
    }).toThrow("line 4 is not UTF-8");
  });
});
