import { describe, expect, it } from "@jest/globals";
import { readRunRecord } from "../../../../src/api/pages/health/run-record.js";

const NOTHING = {
  seconds: undefined,
  rows: undefined,
  reasons: [],
  rejectedExamples: [],
  audits: undefined,
  warnings: undefined,
};

describe("the record of a run", () => {
  it.each([null, "", "{", "null", "[]", "7", '"text"', "{}", '{"measures":[]}', '{"measures":{}}'])(
    "that is %j tells nothing, and is no fault",
    (text) => {
      expect(readRunRecord(text)).toEqual(NOTHING);
    },
  );

  it("has numbers as numbers or as text", () => {
    const rows = { rows_read: "9007199254740993", rejected: 1, out_of_scope: "0", curated: 2 };
    const read = readRunRecord(JSON.stringify({ measures: { "measures.row_accounting": [rows] } }));
    expect(read.rows).toEqual({ read: 2 ** 53, rejected: 1, outOfScope: 0, curated: 2 });
  });

  it("tells the half that it knows", () => {
    const measures = {
      "measures.row_accounting": [{ rows_read: 3, rejected: "many", curated: -1 }],
      "measures.rejected_by_reason": [
        { reject_reason: "late", rejected: "2" },
        { reject_reason: 7, rejected: 2 },
        { reject_reason: "no number" },
        null,
      ],
      "measures.rejected_by_reason_and_country": { no: "list" },
    };
    const audits = [
      { model: "m", audit: "a", outcome: "passed" },
      { model: "m", audit: "b", outcome: "unheard of", broken: 1 },
    ];
    expect(readRunRecord(JSON.stringify({ seconds: "soon", measures, audits, warnings: "none" }))).toEqual({
      ...NOTHING,
      rows: { read: 3 },
      reasons: [{ reason: "late", rejected: 2 }],
      audits: [{ model: "m", audit: "a", outcome: "passed", promise: "", broken: 0, allowed: {} }],
    });
  });

  it("without a country, example or file of a rejected row tells the others", () => {
    const rows = [
      { reject_reason: "r", rejected: 1 },
      { reject_reason: "r", rejected: 1, country_code: null, example: 7 },
    ];
    const { rejectedExamples } = readRunRecord(
      JSON.stringify({ measures: { "measures.rejected_by_reason_and_country": rows } }),
    );
    const none = { reason: "r", rejected: 1, country: null, value: null, file: null };
    expect(rejectedExamples).toEqual([none, none]);
  });
});
