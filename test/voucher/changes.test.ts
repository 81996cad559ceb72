import { describe, expect, it } from "@jest/globals";
import { changesBetween } from "../../src/voucher/changes.js";
import type { Answers, PlacedCell } from "../../src/voucher/published-answers.js";
import { answersOf, cellOf } from "./made-answers.js";

/** Answers of as many amounts, by country and segment. */
function answers(amounts: Record<string, number>): Answers {
  return answersOf(
    Object.entries(amounts).map(([place, voucherAmount]): PlacedCell => {
      const [countryCode = "", segment = ""] = place.split("/");
      const kind = segment.startsWith("0-3") ? "recency_segment" : "frequent_segment";
      return { countryCode, kind, segment, cell: cellOf(voucherAmount) };
    }),
  );
}

const placesOf = (before: Record<string, number>, after: Record<string, number>) =>
  changesBetween(answers(before), answers(after)).map(
    ({ countryCode, segment }) => `${countryCode}/${segment}`,
  );

describe("the changes between two publications", () => {
  it("are the answers with different amounts, new ones and removed ones", () => {
    const before = { "Peru/0-4": 1, "Peru/5-13": 2, "Chile/0-4": 3 };
    const after = { "Peru/0-4": 1, "Peru/5-13": 20, "Latvia/0-4": 4 };
    const changes = changesBetween(answers(before), answers(after));
    const amounts = changes.map(({ before: was, after: is }) => [was?.voucherAmount, is?.voucherAmount]);
    expect(amounts).toEqual([
      [3, undefined],
      [undefined, 4],
      [2, 20],
    ]);
  });

  it("are in the order of the tables: countries by code points, segments by their bounds", () => {
    const after = { "Z/37+": 1, "Z/5-13": 1, "\u{1f381}/0-4": 1, "\uff21/0-4": 1, "Zz/0-4": 1, "A/0-30": 1 };
    expect(placesOf({}, after)).toEqual([
      "Z/5-13",
      "Z/37+",
      "Zz/0-4",
      "\uff21/0-4",
      "\u{1f381}/0-4",
      "A/0-30",
    ]);
  });
});
