import { describe, expect, it } from "@jest/globals";
import type { Cell } from "../../src/voucher/published-answers.js";
import { marginOf, weaknessesOf } from "../../src/voucher/weakness.js";

function cell(assignments: number, runnerUp: number | undefined, segmentAssignments: number): Cell {
  return {
    voucherAmount: 2640,
    assignments,
    segmentAssignments,
    runnerUp: runnerUp === undefined ? undefined : { voucherAmount: 3520, assignments: runnerUp },
  };
}

describe("an answer is weak", () => {
  it.each<[string, Cell, string[]]>([
    ["where it rests on fewer than 100 vouchers", cell(60, 39, 99), ["few vouchers"]],
    ["not where it rests on 100", cell(60, 40, 100), []],
    ["where it leads by less than 5 % of the vouchers", cell(524, 475, 999), ["thin margin"]],
    ["not where it leads by 5 %", cell(525, 475, 1_000), []],
    ["for both reasons at once", cell(1, 1, 2), ["few vouchers", "thin margin"]],
    ["not where no other amount is used", cell(100, undefined, 100), []],
  ])("%s", (_when, weak, weaknesses) => {
    expect(weaknessesOf(weak)).toEqual(weaknesses);
  });
});

describe("the margin", () => {
  it("is the lead over the runner-up, or all vouchers where there is none", () => {
    expect([marginOf(cell(80, 76, 220)), marginOf(cell(3, undefined, 3))]).toEqual([4, 3]);
  });
});
