import { describe, expect, it } from "@jest/globals";
import { databaseStateOf } from "../../../../src/api/pages/health/glance.js";
import { parseExecutionDate } from "../../../../src/voucher/execution-date.js";

const NEVER_ASKED = {
  publication: undefined,
  confirmedAt: undefined,

  isAway: false,
};
const ASKED = { ...NEVER_ASKED, confirmedAt: new Date() };
const ANSWERING = {
  ...ASKED,
  publication: {
    executionDate: parseExecutionDate("2020-05-29"),
    runId: "run",
    sqlVersion: "v1",
    sqlHash: "abc",
    dataHash: "def",
    publishedAt: "2020-05-29T01:00:00Z",
    rowCounts: {},
  },
};

describe("the state of the database", () => {
  it.each([
    ["answers", "it tells of runs", ANSWERING, []],
    ["away", "it could not be asked at the last look", { ...ANSWERING, isAway: true }, undefined],
    ["missing", "it was looked for, and there was none", ASKED, undefined],
    ["silent", "it has answered before", ANSWERING, undefined],
    ["silent", "the first look at it has not ended", NEVER_ASKED, undefined],
  ] as const)("is %s if %s", (state, _why, status, runs) => {
    expect(databaseStateOf(status, runs)).toBe(state);
  });
});
