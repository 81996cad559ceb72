import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { emptyReport, type ChangedAnswer, type RunReport } from "../../src/record/run-record.js";
import { summaryOf } from "../../src/record/terminal.js";

const RUN = {
  run_id: "2020-05-29T000000-0aa00fb62f7b",
  execution_date: "2020-05-29T000000",
  stages: "curate,aggregate,publish",
  sql_version: "v1",
  sql_hash: "abc",
};

function change(vouchers: number): ChangedAnswer {
  const answer = { assignments: 1, segment_assignments: vouchers, certainty_word: "sure" } as const;
  return {
    country_code: "Peru",
    segment_kind: "frequent_segment",
    segment: "0-4",
    before: { ...answer, voucher_amount: 2640, certainty: 0.96 },
    after: { ...answer, voucher_amount: 3520, certainty: 0.9996 },
  };
}

const AUDIT = {
  promise: "",
  severity: "error",
  outcome: "passed",
  threshold: { rows: 0 },
  rows: [],
} as const;

const REPORT: RunReport = {
  ...emptyReport(RUN),
  published: { tables: [], isNew: true, withdrawn: null, newest: "2020-05-29T00:00:00Z" },
  answers: {
    changed: {
      before: "2020-05-28T06:00:00Z",
      after: "2020-05-29T00:00:00Z",
      answers: 40,
      count: 5,
      gone: 0,
      changes: [900, 80, 7, 6, 5].map(change),
    },
    certainty: { sure: 31, likely: 5, "toss-up": 4 },
    least_certain: [],
    largest: [],
  },
  audits: [
    { ...AUDIT, model: "curated.vouchers", audit: "not_empty", broken: 0 },
    {
      ...AUDIT,
      model: "curated.vouchers",
      audit: "last_order_precedes_voucher",
      broken: 20_861,
      threshold: { share: 0.1 },
    },
  ],
  tables: [{ model: "curated.vouchers", uri: "", files: 1, rows: 256_505, bytes: 1, sha256: "" }],
  run_report: { html: path.resolve("data/runs/a.html"), markdown: "" },
};

const summary = (report: RunReport) =>
  summaryOf({ outcome: "succeeded", fault: undefined, report }).split("\n");

describe("the summary of a run", () => {
  it("has the three largest changes, the way to see the others, tolerated rows, and the place of the report", () => {
    expect(summary(REPORT).slice(2)).toEqual([
      "5 of 40 answers changed since 28 May 2020, 06:00:00 UTC.",
      "  Peru · frequent 0-4: 2640 → 3520, sure (over 99.9%), on 900 vouchers",
      "  Peru · frequent 0-4: 2640 → 3520, sure (over 99.9%), on 80 vouchers",
      "  Peru · frequent 0-4: 2640 → 3520, sure (over 99.9%), on 7 vouchers",
      "  and 2 more: npx pipeline diff 2020-05-28T06:00:00Z 2020-05-29",
      "40 answers: 31 are sure, 5 likely and 4 toss-ups. Do not stake a campaign on a toss-up.",
      "All 2 checks passed. There is nothing to do.",
      "  tolerated: last_order_precedes_voucher on curated.vouchers: 20,861 of 256,505 rows, 8.1%; 10% allowed",
      "It took 0.0 s. Report: data/runs/a.html",
    ]);
  });

  it("has the fields of an older version: neither certainty nor a report", () => {
    const { answers } = REPORT;
    const old = { ...REPORT, run_report: null, answers: answers && { ...answers, certainty: null } };
    expect(summary(old)).toContain("The certainty of the answers is unknown.");
    expect(summary(old).at(-1)).toBe("It took 0.0 s.");
  });
});
