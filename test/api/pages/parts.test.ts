import { describe, expect, it } from "@jest/globals";
import { render } from "preact-render-to-string";
import { ageInWords, ago, DateOf } from "../../../src/api/pages/parts.js";
import { counting, percent } from "../../../src/base/words.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";

const NOW = new Date("2020-05-29T12:00:00Z");

describe("words", () => {
  it("count things with separators, and one thing as one", () => {
    expect([counting(1, "country", "countries"), counting(17_890, "voucher")]).toEqual([
      "1 country",
      "17,890 vouchers",
    ]);
  });

  it("have shares with one digit at most", () => {
    expect([percent(0.34558), percent(0.5), percent(1)]).toEqual(["34.6%", "50%", "100%"]);
  });

  it.each([
    ["2020-05-29", "29 May 2020"],
    ["2020-05-29T06:00:00", "29 May 2020, 06:00:00 UTC"],
  ])("have the date %s as %s", (date, text) => {
    expect(render(DateOf({ date: parseExecutionDate(date) })).replace(/<[^>]+>/g, "")).toBe(text);
  });

  it.each([
    ["2020-05-29T12:00:00Z", "just now"],
    ["2020-05-29T11:59:00Z", "1 minute ago"],
    ["2020-05-29T09:30:00Z", "2 hours ago"],
    ["2020-05-27T12:00:00Z", "2 days ago"],
  ])("describe %s as %s", (moment, text) => {
    expect(ago(new Date(moment), NOW)).toBe(text);
  });

  it.each([
    ["2020-05-29", "today"],
    ["2020-05-28", "1 day old"],
    ["2014-01-01", "2,340 days old"],
    ["2020-05-30", "1 day ahead of today"],
  ])("describe data of %s as %s", (date, text) => {
    expect(ageInWords(parseExecutionDate(date), NOW)).toBe(text);
  });
});
