import { describe, expect, it } from "@jest/globals";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";

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
  ])("refuses %j, and says what would be right", (text) => {
    expect(() => parseExecutionDate(text)).toThrow(
      expect.objectContaining({
        code: "INVALID_EXECUTION_DATE",
        message: expect.stringContaining("2020-05-29T06:00:00Z"),
      }),
    );
  });
});
