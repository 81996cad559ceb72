import { describe, expect, it } from "@jest/globals";
import { inRecord } from "../../src/record/answers.js";
import {
  emptyReport,
  reportOf,
  trustedReportOf,
  type AnswersDiff,
  type ChangedAnswer,
  type RecordedRun,
} from "../../src/record/run-record.js";
import { times } from "../raw-vouchers.js";

const CHANGE: ChangedAnswer = {
  country_code: "Peru",
  segment_kind: "frequent_segment",
  segment: "0-4",
  before: {
    voucher_amount: 2640,
    assignments: 2,
    segment_assignments: 3,
    certainty: 0.741,
    certainty_word: "toss-up",
  },
  after: null,
};

function diffOfSo(count: number): AnswersDiff {
  return {
    before: "2020-05-28T00:00:00Z",
    after: "2020-05-29T00:00:00Z",
    answers: 500_000,
    count,
    gone: 0,
    changes: times(count, CHANGE),
  };
}

function runWith(record: string | null): RecordedRun {
  return {
    run_id: "2020-05-29T000000-0aa00fb62f7b",
    execution_date: "2020-05-29T000000",
    stages: "curate,aggregate",
    sql_version: "v1",
    sql_hash: "abc",
    record,
  };
}

describe("the record of a run", () => {
  it("counts the changed answers, and lists a thousand of them at most", () => {
    expect(inRecord(diffOfSo(1_000))).toEqual(diffOfSo(1_000));
    expect(inRecord(diffOfSo(50_000))).toEqual({ ...diffOfSo(50_000), changes: times(1_000, CHANGE) });
  });

  it("of an earlier version, which listed all and did not count them, is counted when it is read", () => {
    const uncounted: object = { ...diffOfSo(3), count: undefined };
    const record = JSON.stringify({
      answers: { changed: uncounted, weak: { count: 0, weakest: [] } },
      gate: { ...uncounted, max_changed: 2, outcome: "approved" },
    });
    expect(reportOf(runWith(record))).toMatchObject({
      answers: { changed: diffOfSo(3) },
      gate: { ...diffOfSo(3), max_changed: 2, outcome: "approved" },
      warnings: [],
    });
  });

  it("is null if nothing was recorded", () => {
    expect(reportOf(runWith(null))).toBeNull();
  });

  it("of an earlier version, which had fewer fields, lacks nothing in reports", () => {
    const tables = [{ model: "curated.vouchers", uri: "data.parquet", rows: 1, bytes: 2, sha256: "00" }];
    const audits = [{ model: "curated.vouchers", audit: "not_empty", outcome: "passed" }];
    expect(reportOf(runWith(JSON.stringify({ tables, audits })))).toEqual({
      ...emptyReport(runWith(null)),
      stages: ["curate", "aggregate"],
      execution_date: "2020-05-29T00:00:00Z",
      tables: [{ ...tables[0], files: 1 }],
      audits: [{ ...audits[0], promise: "", severity: "error", broken: 0, threshold: {}, rows: [] }],
    });
  });

  it.each(["", "{", "null", "[]", "7", '"text"'])("that is %j warns that it is not readable", (record) => {
    expect(reportOf(runWith(record))).toEqual({
      ...emptyReport(runWith(null)),
      warnings: ["the record of the run is not readable"],
    });
  });

  it("names its unreadable fields, and keeps the rest", () => {
    const record = {
      seconds: "soon",
      inputs: [{ path: "vouchers/a.csv", bytes: 7, version: "1" }],
      audits: [{ model: "m", audit: "a", outcome: "unheard of" }],
      warnings: ["the last one"],
    };
    expect(reportOf(runWith(JSON.stringify(record)))).toEqual({
      ...emptyReport(runWith(null)),
      inputs: record.inputs,
      warnings: ["the last one", "the record of the run has unreadable values in audits, seconds"],
    });
  });

  it("belongs to the run of its row, whatever its fields are", () => {
    const record = JSON.stringify({ run_id: "2020-05-28T000000-1bb11ac73a8c", seconds: 1 });
    expect(reportOf(runWith(record))).toMatchObject({
      run_id: "2020-05-29T000000-0aa00fb62f7b",
      seconds: 1,
      warnings: ["the record of the run belongs to another run: somebody changed it"],
    });
  });

  it.each(["{", '{"tables":7}', '{"run_id":"another"}'])("that is %s decides nothing", (record) => {
    expect(() => trustedReportOf(runWith(record))).toThrow(
      expect.objectContaining({ code: "CONSUMPTION_NOT_USABLE" }),
    );
  });
});
