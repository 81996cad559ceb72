import { describe, expect, it } from "@jest/globals";
import { textTable } from "../src/base/text-table.js";
import textWidth from "../src/base/text-width.js";

describe("the width of a text on a terminal", () => {
  it.each([
    ["Peru", 4],
    ["Perú", 4],
    ["Peru\u0301", 4],
    ["中国", 4],
    ["한국", 4],
    ["🙂", 2],
    ["\u001b[36mPeru\u001b[39m", 4],
    ["a\u200bb", 2],
    ["", 0],
  ])("of %j is %d columns", (text, width) => {
    expect(textWidth(text)).toBe(width);
  });
});

describe("a table", () => {
  it("aligns its columns, also with wide characters", () => {
    expect(
      textTable([
        { country: "中国", rows: 5 },
        { country: "Peru", rows: 12 },
      ]),
    ).toBe(["country  rows", "中国        5", "Peru       12"].join("\n"));
  });
});
