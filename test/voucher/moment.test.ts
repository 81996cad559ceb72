import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { parseMoment } from "../../src/voucher/moment.js";

describe("a moment", () => {
  it("is read exactly, with any offset", () => {
    const moments = fc.date({
      min: new Date("0001-01-02T00:00:00Z"),
      max: new Date("9999-12-30T00:00:00Z"),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(moments, fc.integer({ min: -1439, max: 1439 }), (moment, minutes) => {
        const local = new Date(moment.getTime() + minutes * 60_000).toISOString().slice(0, -1);
        const [hours, rest] = [Math.trunc(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
        const offset = `${minutes < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
        expect(parseMoment(local + offset)).toEqual(moment);
        expect(parseMoment(moment.toISOString())).toEqual(moment);
      }),
    );
  });

  it.each([
    ["2020-4-2", "2020-04-02T00:00:00.000Z"],
    ["2020-02-29 7:05", "2020-02-29T07:05:00.000Z"],
    ["2020-04-20 00:00:00.123456789", "2020-04-20T00:00:00.123Z"],
    ["2020-04-20T00:00:00-0530", "2020-04-20T05:30:00.000Z"],
    ["2020-04-20 00:00:00+02", "2020-04-19T22:00:00.000Z"],
    ["0099-12-31 23:59:59", "0099-12-31T23:59:59.000Z"],
  ])("is read from %s", (text, iso) => {
    expect(parseMoment(text)?.toISOString()).toBe(iso);
  });

  it.each([
    "2020-02-30",
    "2019-02-29",
    "2020-13-01",
    "2020-00-10",
    "2020-04-20 24:00:00",
    "2020-04-20 23:60:00",
    "2020-04-20 23:00:60",
    "2020-04-20 00:00:00+24:00",
    "2020-04-20 00:00:00+01:60",
    "20-04-20",
    "2020-04-20 ",
    "",
  ])("is not read from %j", (text) => {
    expect(parseMoment(text)).toBeUndefined();
  });
});
