import { describe, expect, it } from "@jest/globals";
import { parseDateToWrite, parseExecutionDate } from "../../src/voucher/execution-date.js";

describe("an execution date", () => {
  it.each([
    ["2020-05-29", "2020-05-29T000000", "2020-05-29 00:00:00"],
    ["2020-05-29T06:30:15", "2020-05-29T063015", "2020-05-29 06:30:15"],
    ["2020-05-29T06:30:15Z", "2020-05-29T063015", "2020-05-29 06:30:15"],
    ["2020-02-29", "2020-02-29T000000", "2020-02-29 00:00:00"],
    ["0001-01-01", "0001-01-01T000000", "0001-01-01 00:00:00"],
    ["9999-12-31T23:59:59", "9999-12-31T235959", "9999-12-31 23:59:59"],
  ])("reads %s as the partition %s", (text, partitionKey, timestamp) => {
    expect(parseExecutionDate(text)).toMatchObject({ partitionKey, timestamp });
  });

  it.each([
    "",
    " 2020-05-29",
    "2020-05-29 ",
    "2020-05-29 00:00:00",
    "2020-05-29T00:00",
    "2020-05-29T00:00:00.5",
    "2020-05-29T00:00:00+02:00",
    "2020-05-29T00:00:00z",
    "2020-05-29Z",
    "2020-5-29",
    "20200529",
    "2019-02-29",
    "2020-04-31",
    "2020-13-01",
    "2020-00-10",
    "2020-05-29T24:00:00",
    "2020-05-29T23:60:00",
    "12020-05-29",
    "2020-05-29\n",
    "٢٠٢٠-05-29",
    "yesterday",
  ])("refuses %j, and shows a valid one", (text) => {
    expect(() => parseExecutionDate(text)).toThrow(
      expect.objectContaining({
        code: "INVALID_EXECUTION_DATE",
        message: expect.stringContaining("2020-05-29T06:00:00Z"),
      }),
    );
  });
});

describe("an execution date for a run", () => {
  const now = new Date("2026-03-28T13:30:00.000Z");

  it.each([["2020-05-29"], ["2026-03-28T23:59:59"], ["2026-03-29"], ["2026-03-29T13:30:00Z"]])(
    "may be %s, at most 24 hours after the clock",
    (text) => {
      expect(parseDateToWrite(text, { allowsFuture: false, now })).toEqual(parseExecutionDate(text));
    },
  );

  it.each([["2026-03-29T13:30:01"], ["2026-03-30"], ["9999-12-31T23:59:59"]])(
    "is refused if it is %s, unless the future is allowed",
    (text) => {
      expect(() => parseDateToWrite(text, { allowsFuture: false, now })).toThrow(
        expect.objectContaining({
          code: "INVALID_EXECUTION_DATE",
          message: expect.stringMatching(
            /in the future; the clock shows 2026-03-28T13:30:00\.000Z\..* add --allow-future$/,
          ),
        }),
      );
      expect(parseDateToWrite(text, { allowsFuture: true, now })).toEqual(parseExecutionDate(text));
    },
  );
});
