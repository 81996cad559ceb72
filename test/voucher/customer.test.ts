import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { segmentOfCustomer } from "../../src/voucher/customer-segment.js";
import { calendarDays } from "../../src/voucher/moment.js";
import { readSegments } from "../../src/voucher/read-segments.js";
import { PROJECT } from "../workspace.js";

const segments = await readSegments(path.join(PROJECT, "sql/v1"));

describe("calendar days", () => {
  it.each([
    ["2020-05-28T23:59:59Z", "2020-05-29T00:00:00Z", 1],
    ["2020-05-29T00:00:00Z", "2020-05-29T23:59:59Z", 0],
    ["2020-05-30T00:00:00Z", "2020-05-29T00:00:00Z", -1],
    ["1969-12-31T23:59:59Z", "1970-01-01T00:00:00Z", 1],
    ["2020-02-28T12:00:00Z", "2020-03-01T00:00:00Z", 2],
  ])("from %s to %s are %d", (from, to, days) => {
    expect(calendarDays(new Date(from), new Date(to))).toBe(days);
  });
});

describe("the segment of a customer", () => {
  const customer = {
    country_code: "Peru",
    total_orders: 15,
    last_order_ts: new Date("2020-04-28T23:00:00Z"),
  };

  it("counts orders for the frequent segment", () => {
    const asked = { ...customer, segment_name: "frequent_segment" as const };
    expect(segmentOfCustomer(segments, asked, new Date("2020-05-29T00:00:00Z"))).toBe("13-37");
  });

  it("counts days to the given moment for the recency segment", () => {
    const asked = { ...customer, segment_name: "recency_segment" as const };
    expect(segmentOfCustomer(segments, asked, new Date("2020-05-28T00:00:00Z"))).toBe("0-30");
    expect(segmentOfCustomer(segments, asked, new Date("2020-05-29T00:00:00Z"))).toBe("30-60");
  });
});
