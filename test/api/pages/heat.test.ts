import { describe, expect, it } from "@jest/globals";
import { heatOf } from "../../../src/api/pages/answers-page.js";

describe("the colours of amounts", () => {
  it("go by the order of the amounts, so that one far above leaves the others their differences", () => {
    const { classOf } = heatOf([1760, 2200, 2640, 4400, 1_000_000, 1760]);
    expect([1760, 2200, 2640, 4400, 1_000_000].map(classOf)).toEqual([
      "heat-1",
      "heat-2",
      "heat-4",
      "heat-5",
      "heat-6",
    ]);
  });

  it("are told with the lowest and the highest amount of each", () => {
    const { legend } = heatOf(Array.from({ length: 12 }, (_, index) => (index + 1) * 10));
    expect(legend).toHaveLength(6);
    expect(legend[0]).toEqual({ name: "heat-1", from: 10, to: 20 });
    expect(legend[5]).toEqual({ name: "heat-6", from: 110, to: 120 });
  });

  it("are one where there is one amount, and none where there is none", () => {
    expect(heatOf([5]).legend).toEqual([{ name: "heat-1", from: 5, to: 5 }]);
    expect(heatOf([]).legend).toEqual([]);
  });
});
