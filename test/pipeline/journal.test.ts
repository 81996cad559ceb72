import { describe, expect, it } from "@jest/globals";
import { inRecord, type AnswersDiff, type ChangedAnswer } from "../../src/introspect/diff.js";
import { parseRecord } from "../../src/run/journal.js";
import { times } from "../raw-vouchers.js";

const CHANGE: ChangedAnswer = {
  country_code: "Peru",
  segment_kind: "frequent_segment",
  segment: "0-4",
  before: { voucher_amount: 2640, assignments: 2, segment_assignments: 3 },
  after: null,
};

function diffOfSo(count: number): AnswersDiff {
  return {
    before: "2020-05-28T00:00:00Z",
    after: "2020-05-29T00:00:00Z",
    answers: 500_000,
    count,
    changes: times(count, CHANGE),
  };
}

describe("the record of a run", () => {
  it("counts the answers that have changed, and tells a thousand of them at the most", () => {
    expect(inRecord(diffOfSo(1_000))).toEqual(diffOfSo(1_000));
    expect(inRecord(diffOfSo(50_000))).toEqual({ ...diffOfSo(50_000), changes: times(1_000, CHANGE) });
  });

  it("of an earlier version, which told all and did not count them, is counted when it is read", () => {
    const uncounted: object = { ...diffOfSo(3), count: undefined };
    const record = JSON.stringify({
      answers: { changed: uncounted, weak: { count: 0, weakest: [] } },
      gate: { ...uncounted, max_changed: 2, outcome: "approved" },
    });
    expect(parseRecord(record)).toMatchObject({
      answers: { changed: diffOfSo(3) },
      gate: { ...diffOfSo(3), max_changed: 2, outcome: "approved" },
    });
  });
});
