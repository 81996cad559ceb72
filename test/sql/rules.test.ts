import { describe, expect, it } from "@jest/globals";
import type { Row } from "../../src/engine/builder.js";
import { times, voucher, type RawVoucher } from "../raw-vouchers.js";
import { readPartition, runOver } from "../run/running.js";

/** The values of some columns of the curated vouchers. */
async function curated(
  vouchers: readonly RawVoucher[],
  columns: readonly string[],
  executionDate?: string,
): Promise<Row[]> {
  const { settings } = await runOver(vouchers, executionDate);
  const rows = await readPartition(settings, "curated.vouchers", executionDate);
  return rows.map((row) => Object.fromEntries(columns.map((column) => [column, row[column] ?? null])));
}

describe("curated vouchers", () => {
  it("are typed, trimmed and in UTC", async () => {
    const { settings } = await runOver([
      voucher({
        timestamp: " 2020-05-01T10:00:00.123456789+02:00",
        country_code: " \tPerú ",
        total_orders: " 7.0",
        voucher_amount: "2640.0",
      }),
    ]);
    expect(await readPartition(settings, "curated.vouchers")).toEqual([
      {
        timestamp: "2020-05-01 08:00:00.123456",
        country_code: "Perú",
        last_order_ts: "2020-04-20 00:00:00",
        first_order_ts: "2019-01-01 00:00:00",
        total_orders: 7,
        voucher_amount: 2640,
        days_since_last_order: 39,
        frequent_segment: "5-13",
        recency_segment: "30-60",
        execution_date: "2020-05-29T000000",
      },
    ]);
  });

  it("count identical rows each", async () => {
    expect(await curated(times(3, voucher()), ["voucher_amount"])).toHaveLength(3);
  });

  it("keep a first order that is missing or cannot be read as NULL", async () => {
    const rows = await curated(
      [
        voucher({ first_order_ts: null }),
        voucher({ first_order_ts: "soon" }),
        voucher({ first_order_ts: " " }),
      ],
      ["first_order_ts"],
    );
    expect(rows).toEqual(times(3, voucher()).map(() => ({ first_order_ts: null })));
  });

  it("keep the words NULL and NA as names of a country", async () => {
    const rows = await curated(
      [voucher({ country_code: "NULL" }), voucher({ country_code: "NA" })],
      ["country_code"],
    );
    expect(rows).toEqual([{ country_code: "NA" }, { country_code: "NULL" }]);
  });

  it("tell countries apart by case and accent", async () => {
    const countries = ["peru", "Peru", "Perú", "PERU", "🇵🇪"];
    const rows = await curated(
      countries.map((country_code) => voucher({ country_code })),
      ["country_code"],
    );
    expect(new Set(rows.map(({ country_code }) => country_code))).toEqual(new Set(countries));
  });

  it.each([
    [4, "0-4"],
    [5, "5-13"],
    [13, "5-13"],
    [14, "13-37"],
    [37, "13-37"],
    [38, "37+"],
  ])("with %d orders are in the frequent segment %s", async (orders, segment) => {
    const rows = await curated([voucher({ total_orders: String(orders) })], ["frequent_segment"]);
    expect(rows).toEqual([{ frequent_segment: segment }]);
  });

  it.each([
    ["2020-05-29 00:00:00", 0, "0-30"],
    ["2020-05-28 23:59:59.999999", 1, "0-30"],
    ["2020-04-29 00:00:00", 30, "0-30"],
    ["2020-04-28 23:59:59", 31, "30-60"],
    ["2020-03-30", 60, "30-60"],
    ["2020-03-29", 61, "60-90"],
    ["2020-02-29", 90, "60-90"],
    ["2020-02-28", 91, "90-120"],
    ["2020-01-30", 120, "90-120"],
    ["2020-01-29", 121, "120-180"],
    ["2019-12-01", 180, "120-180"],
    ["2019-11-30", 181, "180+"],
  ])(
    "whose last order was at %s are %d days and in the recency segment %s",
    async (last_order_ts, days, segment) => {
      const rows = await curated([voucher({ last_order_ts })], ["days_since_last_order", "recency_segment"]);
      expect(rows).toEqual([{ days_since_last_order: days, recency_segment: segment }]);
    },
  );

  it("count days by the date of the execution date, not by its hour", async () => {
    const rows = await curated(
      [voucher({ last_order_ts: "2020-05-28 23:00:00" })],
      ["days_since_last_order"],
      "2020-05-29T06:00:00",
    );
    expect(rows).toEqual([{ days_since_last_order: 1 }]);
  });
});

describe("a run at a moment", () => {
  it("takes what was known at it, to the microsecond, and leaves the rest out of scope", async () => {
    const { settings, report } = await runOver(
      [
        voucher({ timestamp: "2020-05-29 06:00:00" }),
        voucher({ timestamp: "2020-05-29 06:00:00.000001" }),
        voucher({ last_order_ts: "2020-05-29 06:00:00" }),
        voucher({ last_order_ts: "2020-05-29 06:00:00.000001" }),
        voucher({ timestamp: "2020-05-29 08:00:00+02:00" }),
        voucher({ timestamp: "2020-05-29 05:59:59-00:30" }),
      ],
      "2020-05-29T06:00:00",
    );
    expect(report.measures["measures.row_accounting"]).toEqual([
      { rows_read: "6", rejected: "0", out_of_scope: "3", curated: "3" },
    ]);
    expect(await readPartition(settings, "curated.vouchers", "2020-05-29T06:00:00")).toHaveLength(3);
  });

  it("rejects an invalid row before it asks whether it is in scope", async () => {
    const { report } = await runOver([
      voucher(),
      voucher(),
      voucher({ timestamp: "2021-01-01", voucher_amount: "0" }),
    ]);
    expect(report.measures["measures.row_accounting"]).toEqual([
      { rows_read: "3", rejected: "1", out_of_scope: "0", curated: "2" },
    ]);
  });
});

describe("rejected vouchers", () => {
  const good = times(20, voucher());

  it.each<[Partial<RawVoucher>, string]>([
    [{ timestamp: null }, "timestamp_missing"],
    [{ timestamp: " \t" }, "timestamp_missing"],
    [{ timestamp: "yesterday" }, "timestamp_invalid"],
    [{ timestamp: "infinity" }, "timestamp_invalid"],
    [{ country_code: null }, "country_code_missing"],
    [{ country_code: "\r\n" }, "country_code_missing"],
    [{ country_code: "x".repeat(65) }, "country_code_invalid"],
    [{ country_code: "🙂".repeat(65) }, "country_code_invalid"],
    [{ country_code: "Pe\u0000ru" }, "country_code_invalid"],
    [{ country_code: "\u0000" }, "country_code_invalid"],
    [{ last_order_ts: "" }, "last_order_ts_missing"],
    [{ last_order_ts: "2020-02-30" }, "last_order_ts_invalid"],
    [{ total_orders: "" }, "total_orders_missing"],
    [{ total_orders: "-1" }, "total_orders_invalid"],
    [{ total_orders: "4.5" }, "total_orders_invalid"],
    [{ total_orders: "2147483648" }, "total_orders_invalid"],
    [{ total_orders: "NaN" }, "total_orders_invalid"],
    [{ voucher_amount: null }, "voucher_amount_missing"],
    [{ voucher_amount: "0" }, "voucher_amount_invalid"],
    [{ voucher_amount: "2640.01" }, "voucher_amount_invalid"],
    [{ voucher_amount: "NULL" }, "voucher_amount_invalid"],
  ])("with %j say %s and keep what came", async (changes, reason) => {
    const bad = voucher(changes);
    const { settings } = await runOver([...good, bad]);
    expect(await readPartition(settings, "curated.vouchers_rejected")).toEqual([
      {
        ...bad,
        reject_reasons: [reason],
        source_file: "vouchers/part.parquet",
        execution_date: "2020-05-29T000000",
      },
    ]);
  });

  it("take what is at the edge of being valid", async () => {
    const { report } = await runOver([
      voucher({ country_code: "🙂".repeat(64) }),
      voucher({ total_orders: "0" }),
      voucher({ total_orders: "2147483647" }),
      voucher({ voucher_amount: "1" }),
      voucher({ voucher_amount: "2147483647" }),
    ]);
    expect(report.measures["measures.row_accounting"]).toMatchObject([{ rejected: "0", curated: "5" }]);
  });

  it("list every reason in the order of the columns", async () => {
    const nothing = {
      timestamp: "x",
      country_code: " ",
      last_order_ts: null,
      total_orders: "x",
      voucher_amount: "",
    };
    const { settings, report } = await runOver([...good, voucher(nothing), voucher({ total_orders: "x" })]);
    const rows = await readPartition(settings, "curated.vouchers_rejected");
    expect(rows.map(({ reject_reasons }) => reject_reasons)).toContainEqual([
      "timestamp_invalid",
      "country_code_missing",
      "last_order_ts_missing",
      "total_orders_invalid",
      "voucher_amount_missing",
    ]);
    expect(report.measures["measures.rejected_by_reason"]).toEqual([
      { reject_reason: "total_orders_invalid", rejected: "2" },
      { reject_reason: "country_code_missing", rejected: "1" },
      { reject_reason: "last_order_ts_missing", rejected: "1" },
      { reject_reason: "timestamp_invalid", rejected: "1" },
      { reject_reason: "voucher_amount_missing", rejected: "1" },
    ]);
  });

  it("are a file without rows where there are none", async () => {
    const { settings } = await runOver(good);
    expect(await readPartition(settings, "curated.vouchers_rejected")).toEqual([]);
  });
});

describe("the most used voucher", () => {
  it("is the amount with the most vouchers of the country and segment", async () => {
    const { settings } = await runOver([
      ...times(3, voucher({ voucher_amount: "3520" })),
      ...times(2, voucher({ voucher_amount: "2640" })),
      ...times(4, voucher({ voucher_amount: "4400", country_code: "Chile" })),
      voucher({ voucher_amount: "1000", total_orders: "40" }),
    ]);
    expect(await readPartition(settings, "provision.voucher_frequent_most_used")).toEqual([
      row("Chile", "5-13", 4400, "4", "4"),
      row("Peru", "5-13", 3520, "3", "5"),
      row("Peru", "37+", 1000, "1", "1"),
    ]);
  });

  it("is the smaller amount where two are used equally often", async () => {
    const { settings } = await runOver([
      ...times(2, voucher({ voucher_amount: "10000" })),
      ...times(2, voucher({ voucher_amount: "9000" })),
      voucher({ voucher_amount: "100" }),
    ]);
    expect(await readPartition(settings, "provision.voucher_frequent_most_used")).toEqual([
      row("Peru", "5-13", 9000, "2", "5"),
    ]);
  });

  it("is sorted by country in code points, and by segment as the segments are", async () => {
    const { settings } = await runOver(
      ["ab", "Zz", "Äa", "🙂", "\ufffd", "a b"].flatMap((country_code) =>
        ["40", "1", "20", "7"].map((total_orders) => voucher({ country_code, total_orders })),
      ),
    );
    const rows = await readPartition(settings, "provision.voucher_frequent_most_used");
    expect([...new Set(rows.map(({ country_code }) => country_code))]).toEqual([
      "Zz",
      "a b",
      "ab",
      "Äa",
      "\ufffd",
      "🙂",
    ]);
    expect(rows.slice(0, 4).map(({ frequent_segment }) => frequent_segment)).toEqual([
      "0-4",
      "5-13",
      "13-37",
      "37+",
    ]);
  });

  it("is counted by recency, too", async () => {
    const { settings } = await runOver([
      voucher({ last_order_ts: "2019-01-01", voucher_amount: "1" }),
      voucher({ last_order_ts: "2020-05-01", voucher_amount: "2" }),
      voucher({ last_order_ts: "2020-02-01", voucher_amount: "3" }),
      voucher({ last_order_ts: "2019-12-15", voucher_amount: "4" }),
    ]);
    const rows = await readPartition(settings, "provision.voucher_recency_most_used");
    expect(rows.map(({ recency_segment, voucher_amount }) => [recency_segment, voucher_amount])).toEqual([
      ["0-30", 2],
      ["90-120", 3],
      ["120-180", 4],
      ["180+", 1],
    ]);
  });

  function row(
    country_code: string,
    frequent_segment: string,
    voucher_amount: number,
    assignments: string,
    all: string,
  ) {
    const execution_date = "2020-05-29T000000";
    return {
      country_code,
      frequent_segment,
      voucher_amount,
      assignments,
      segment_assignments: all,
      execution_date,
    };
  }
});

describe("the most used amount of a country", () => {
  it("counts every voucher once, whatever its segments", async () => {
    const { settings } = await runOver([
      ...times(3, voucher({ voucher_amount: "3520", total_orders: "2" })),
      ...times(2, voucher({ voucher_amount: "2640", total_orders: "2" })),
      ...times(2, voucher({ voucher_amount: "2640", total_orders: "50" })),
      voucher({ country_code: "Chile", voucher_amount: "1" }),
    ]);
    const execution_date = "2020-05-29T000000";
    expect(await readPartition(settings, "provision.voucher_country_most_used")).toEqual([
      {
        country_code: "Chile",
        voucher_amount: 1,
        assignments: "1",
        country_assignments: "1",
        execution_date,
      },
      {
        country_code: "Peru",
        voucher_amount: 2640,
        assignments: "4",
        country_assignments: "7",
        execution_date,
      },
    ]);
  });

  it("gives a tie to the smaller amount", async () => {
    const { settings } = await runOver([
      ...times(2, voucher({ voucher_amount: "3520", total_orders: "2" })),
      ...times(2, voucher({ voucher_amount: "2640", total_orders: "50" })),
    ]);
    expect(await readPartition(settings, "provision.voucher_country_most_used")).toMatchObject([
      { voucher_amount: 2640 },
    ]);
  });
});

describe("the usage of voucher amounts", () => {
  it("ranks all amounts of a country and segment with their shares", async () => {
    const { settings } = await runOver([
      ...times(3, voucher({ voucher_amount: "3520" })),
      voucher({ voucher_amount: "2640" }),
    ]);
    const rows = await readPartition(settings, "provision.voucher_amount_usage");
    const ranked = { country_code: "Peru", segment_assignments: "4", execution_date: "2020-05-29T000000" };
    const first = { voucher_amount: 3520, assignments: "3", segment_share: 0.75, amount_rank: 1 };
    const second = { voucher_amount: 2640, assignments: "1", segment_share: 0.25, amount_rank: 2 };
    expect(rows).toEqual([
      { ...ranked, segment_kind: "frequent_segment", segment: "5-13", ...first },
      { ...ranked, segment_kind: "frequent_segment", segment: "5-13", ...second },
      { ...ranked, segment_kind: "recency_segment", segment: "30-60", ...first },
      { ...ranked, segment_kind: "recency_segment", segment: "30-60", ...second },
    ]);
  });
});
