import { describe, expect, it } from "@jest/globals";
import { emptyReport, reportOf } from "../../src/record/run-record.js";
import { sentencesOf } from "../../src/record/sentences.js";
import type { Stage } from "../../src/record/stages.js";

const RUN = {
  run_id: "2020-05-29T000000-0aa00fb62f7b",
  execution_date: "2020-05-29T000000",
  stages: "curate,aggregate,publish",
  sql_version: "v1",
  sql_hash: "abc",
};

function succeeded(stages: readonly Stage[], record: string | null): readonly string[] {
  const run = { ...RUN, stages: stages.join(","), record };
  return sentencesOf({ outcome: "succeeded", fault: undefined, report: reportOf(run) ?? emptyReport(run) });
}

describe("the sentences of a successful run", () => {
  it.each([null, "{", "{}"])("have no promise that the record does not have: %s", (record) => {
    expect(succeeded(["curate", "aggregate", "publish"], record)).toEqual([
      "The run for 29 May 2020 succeeded. Its publication is unknown.",
      "The number of used rows is unknown.",
      "The changed answers are unknown.",
      "The certainty of the answers is unknown.",
      "The results of its checks are unknown.",
    ]);
  });

  it("have no changed answers if it has built and not published", () => {
    expect(succeeded(["curate"], "{}")[2]).toBe("It did not change the answers for customers.");
  });

  it.each([
    [
      "withdrawn",
      "The voucher answers for 29 May 2020 were published and later withdrawn, so nobody gets them.",
    ],
    ["restored", "The voucher answers for 29 May 2020 are published."],
  ] as const)("have the state of its publication: %s", (outcome, sentence) => {
    const published = { tables: [], isNew: true, withdrawn: null, newest: "2020-05-29T00:00:00Z" };
    const report = { ...emptyReport(RUN), published };
    const withdrawal = {
      execution_date: "2020-05-29T00:00:00Z",
      run_id: RUN.run_id,
      published_at: "2020-05-29T01:00:00Z",
      withdrawn_at: "2020-05-29T02:00:00Z",
      withdrawn_by: "somebody",
      why: "the feed was cut short",
      outcome,
      ended_at: null,
      ended_by: null,
    };
    const run = { outcome: "succeeded", fault: undefined, report, withdrawals: [withdrawal] } as const;
    expect(sentencesOf(run)[0]).toBe(sentence);
  });
});
