import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { CsvCheck } from "../../src/raw/inspect-csv.js";
import { recordsOf } from "../hostile/strict-csv.js";

/** What the check says of a text that comes in pieces of a length. */
function checked(text: string | Buffer, length = 1_000_000) {
  const bytes = Buffer.from(text);
  const check = new CsvCheck();
  try {
    for (let at = 0; at < bytes.length; at += length) check.check(bytes.subarray(at, at + length));
    check.end();
  } catch (error) {
    return (error as Error).message;
  }
  const { header, rows, hasQuotedLineBreaks } = check;
  return { header: bytes.toString("utf8", header?.begin, header?.end), rows, hasQuotedLineBreaks };
}

describe("the check of a CSV", () => {
  it.each<[string, string, object]>([
    ["LF", "a,b\n1,2\n3,4\n", { rows: 2 }],
    ["CRLF", "a,b\r\n1,2\r\n3,4\r\n", { rows: 2 }],
    ["CR", "a,b\r1,2\r3,4\r", { rows: 2 }],
    ["no end of its last line", "a,b\n1,2\n3,4", { rows: 2 }],
    ["CRLF, the last one cut", "a,b\r\n1,2\r\n3,4\r", { rows: 2 }],
    ["blank lines", "a,b\n\n1,2\n\n\n3,4\n\n", { rows: 2 }],
    ["blank lines that end in CRLF", "a,b\r\n\r\n1,2\r\n\r\n", { rows: 1 }],
    ["a byte order mark before a quote", '\ufeff"a",b\n1,2\n', { header: '"a",b', rows: 1 }],
    ["no rows", "a,b", { header: "a,b", rows: 0 }],
    ["empty values", 'a,b\n,\n"",\n,""\n', { rows: 3 }],
    ["commas and quotes in quotes", 'a,b\n"1,""2""",","\n', { rows: 1, hasQuotedLineBreaks: false }],
    ["LF in quotes beside CRLF", 'a,b\r\n"1\n",2\r\n', { rows: 1, hasQuotedLineBreaks: true }],
    ["CRLF in quotes beside LF", 'a,b\n1,"\r\n2"\n', { rows: 1, hasQuotedLineBreaks: true }],
    ["CR in quotes", 'a,b\n1,"\r"\n', { rows: 1, hasQuotedLineBreaks: true }],
  ])("takes a file with %s", (_what, text, expected) => {
    for (const length of [1, 2, 3, 1_000]) expect(checked(text, length)).toMatchObject(expected);
  });

  it.each([
    ["a,b\n1,2\n3,4,\n", "line 3 has 3 fields, but the header has 2; quote values that contain a comma"],
    ['a,b\n1,2,""\n', "line 2 has 3 fields, but the header has 2"],
    ["a,b\n1,2,,\n", "line 2 has 4 fields, but the header has 2"],
    ["a,b\n1,2\n3,4,", "line 3 has 3 fields, but the header has 2"],
    ["a,b\r\n1,2,\r\n", "line 2 has 3 fields, but the header has 2"],
    ["a,b\r1,2\r1,2,\r", "line 3 has 3 fields, but the header has 2"],
    ['a,b\n"\n\r\r\n",2\n"1\n","2\n",\n', "line 6 has 3 fields, but the header has 2"],
    ["a,b\n\n1\n", "line 3 has 1 field, but the header has 2"],
    ["a,b\n \n", "line 2 has 1 field, but the header has 2"],
    ['a,b\n""\n', "line 2 has 1 field, but the header has 2"],
    ["a,b\n1,2\n\t", "line 3 has 1 field, but the header has 2"],
    ["a,b\n1,2\r\n", "line 2 ends in CRLF, but line 1 in LF"],
    ["a,b\r\n1,2\n", "line 2 ends in LF, but line 1 in CRLF"],
    ["a,b\r1,2\n", "line 2 ends in LF, but line 1 in CR"],
    ["a,b\n1,2\r", "line 2 ends in CR, but line 1 in LF"],
    ["a,b\r\r\n1,2\r\r\n", "line 1 ends in CR CR LF"],
    ["a,b\n1,2\r\r\n", "line 2 ends in two carriage returns (CR CR)"],
    ["a,b\n1\r,2\n", "line 2 has a carriage return (CR) outside of quotes"],
    ["a,b\r\n1\r,2\r\n", "line 2 has a carriage return (CR) outside of quotes"],
    ["\na,b\n", "line 1 is empty; the first line must be the header"],
    ['a,b\n1,2\n"3,4\n5,6\n', "line 3 has a quote that is not closed"],
    ['a,b\n1,"2\n3,4\n5,"6"\n', "line 4 has text after a closing quote; the quote opened in line 2"],
    ['a,b\n1,2 "inch"\n', "line 2 has a quote in a value without quotes around it"],
    ['a,b\n1, "2"\n', "line 2 has a quote in a value without quotes around it"],
    ['a,b\n1,"2" \n', "line 2 has text after a closing quote"],
  ])("refuses %j", (text, message) => {
    for (const length of [1, 2, 3, 1_000])
      expect(checked(text, length)).toEqual(expect.stringContaining(message));
  });

  it("refuses a row that is too long, and names its start and the place of an open quote", () => {
    const message = "the row in line 3 has more than 2000000 bytes";
    expect(checked(`a,b\n1,2\n3,${"x".repeat(2_000_001)}\n4,5\n`, 65_536)).toBe(message);
    expect(checked(`a,b\n1,2\n3,"${"\n".repeat(2_000_001)}`, 65_536)).toBe(
      `${message}; the quote in line 3 may not be closed`,
    );
  });

  it("refuses what is not UTF-8, and names its line", () => {
    for (const end of ["\n", "\r\n", "\r"]) {
      const text = Buffer.from(["a,b", "1,2", "Per\u00fa,2", ""].join(end), "latin1");
      expect(checked(text)).toBe("line 3 is not UTF-8; save the file as UTF-8");
    }
  });

  it("finds the same as a regular expression, in pieces of any size", () => {
    const pieces = ["a", "é", ",", ",", '"', '"', '""', "\n", "\n", "\r\n", "\r", " ", "a,a\n", '"a","a"\n'];
    const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 14 }).map((parts) => parts.join(""));
    let accepted = 0;
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 5 }), (text, length) => {
        const [header, ...rows] = recordsOf(text) ?? [];
        const isGood =
          header !== undefined && !/^[\r\n]/.test(text) && rows.every((row) => row.length === header.length);
        if (isGood) accepted++;
        const found = checked(text, length);
        if (isGood) expect(found).toMatchObject({ rows: rows.length });
        else if (text !== "") expect(typeof found).toBe("string");
      }),
      { numRuns: 20_000 },
    );
    expect(accepted).toBeGreaterThan(1_000);
  });
});
