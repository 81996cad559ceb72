import { describe, expect, it } from "@jest/globals";
import type { CertaintyWord, MinCertainty } from "../../src/voucher/certainty.js";
import { decide } from "../../src/voucher/decision.js";
import { answersOf, cellOf } from "./made-answers.js";

const kind = "frequent_segment" as const;
const at = (segment: string, chance: number, word: CertaintyWord) => ({
  kind,
  countryCode: "Peru",
  segment,
  cell: cellOf(2640, 100, { chance, word }),
});

const answers = answersOf([
  at("0-4", 0.99, "sure"),
  at("5-13", 0.8, "likely"),
  at("13-37", 0.5, "toss-up"),
  { kind, countryCode: "Chile", segment: "0-4", cell: cellOf(10) },
]);

function decided(
  total_orders: number,
  minCertainty?: MinCertainty,
  country_code = "Peru",
  minAssignments = 1,
) {
  const asOf = new Date("2020-05-29");
  const customer = { country_code, total_orders, last_order_ts: asOf, segment_name: kind };
  const { basis, noneBecause } = decide(answers, customer, {
    asOf,
    fallback: "none",
    minAssignments,
    minCertainty,
  });
  return [basis, noneBecause];
}

describe("a decision", () => {
  it("has an amount if the answer is as certain as required", () => {
    const amount = ["segment", undefined];
    expect(decided(15)).toEqual(amount);
    expect(decided(7, 0.8)).toEqual(amount);
    expect(decided(7, "likely")).toEqual(amount);
    expect(decided(1, "likely")).toEqual(amount);
    expect(decided(1, "sure")).toEqual(amount);
  });

  it("has none if the answer is less certain", () => {
    const none = ["none", "too_uncertain"];
    expect(decided(7, 0.81)).toEqual(none);
    expect(decided(7, "sure")).toEqual(none);
    expect(decided(15, "likely")).toEqual(none);
  });

  it("has none if the certainty of the answer is unknown", () => {
    expect(decided(1, 0, "Chile")).toEqual(["none", "too_uncertain"]);
  });

  it("tells an unknown country from an empty segment, and that from one with too few vouchers", () => {
    expect(decided(15, undefined, "Atlantis")).toEqual(["none", "unknown_country"]);
    expect(decided(50)).toEqual(["none", "empty_segment"]);
    expect(decided(15, undefined, "Peru", 101)).toEqual(["none", "too_few_vouchers"]);
  });
});
