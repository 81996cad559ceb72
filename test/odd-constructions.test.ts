import { describe, expect, it } from "@jest/globals";
import { GROUPS, oddConstructions, type TextGroup } from "./odd-constructions.mjs";

/** How many odd constructions each 1,000 words may have. */
const LIMITS: Record<TextGroup, number> = {
  README: 1,
  docs: 1,
  decisions: 1,
  help: 1,
  messages: 1,
  pages: 1,
  sql: 1,
  comments: 1,
  "test names": 1,
};

describe("odd constructions", () => {
  it("are counted in every group of texts", () => {
    expect(Object.keys(LIMITS)).toEqual(Object.keys(GROUPS));
  });

  it.each(Object.entries(LIMITS))("%s: at most %d per 1,000 words", (group, limit) => {
    const { words, found, perThousand } = oddConstructions(group as TextGroup);
    const listed = found.map(({ file, line, rule, text }) => `${file}:${String(line)}: ${rule}: ${text}`);
    expect(words).toBeGreaterThan(500);
    expect(perThousand <= limit ? [] : listed).toEqual([]);
  });
});
