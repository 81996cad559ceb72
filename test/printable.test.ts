import { describe, expect, it } from "@jest/globals";
import { textTable } from "../src/base/text-table.js";
import { printable } from "../src/base/words.js";

describe("a text from raw data", () => {
  it.each([
    ["a\nb\tc", "a\\nb\\tc"],
    ["\u001b[31mred", "\\u001b[31mred"],
    ["\u009b31mred", "\\u009b31mred"],
    ["\u007f", "\\u007f"],
    ["Perú 🙂", "Perú 🙂"],
  ])("%j is shown without a control character", (text, shown) => {
    expect(printable(text)).toBe(shown);
    expect(textTable([{ text }])).toBe(`text\n${shown}`);
  });
});
