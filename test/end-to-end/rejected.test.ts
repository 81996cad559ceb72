import { describe, expect, it } from "@jest/globals";
import { textOf } from "../../src/engine/builder.js";
import { pipeline } from "../cli/command.js";
import { times, voucher, type RawVoucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";

/** Three vouchers of 2640 and one of another amount, so that 2640 leads by two. */
function leadingByTwo(runnerUp: string): RawVoucher[] {
  return [...times(3, voucher()), voucher({ voucher_amount: runnerUp })];
}

/** The number of answers that rejected rows could have changed, of the two there are: by orders, by recency. */
async function changeable(vouchers: readonly RawVoucher[]): Promise<Record<string, number>> {
  const { report } = await runOver(vouchers, EXECUTION_DATE, { maxRejectedShare: "1" });
  const rows = report.measures["measures.answers_rejected_rows_could_change"] ?? [];
  return Object.fromEntries(rows.map((row) => [textOf(row, "segment_kind"), Number(row["could_change"])]));
}

const unchanging = { frequent_segment: 0, recency_segment: 0 };
const changing = { frequent_segment: 1, recency_segment: 1 };

describe("an answer", () => {
  it("is certain if fewer rejected rows might belong to it than its margin", async () => {
    const rejected = voucher({ voucher_amount: "free" });
    expect(await changeable([...leadingByTwo("5"), rejected])).toEqual(unchanging);
  });

  it("is in doubt if they could make a tie with a smaller amount, which then wins", async () => {
    const rejected = times(2, voucher({ voucher_amount: "free" }));
    expect(await changeable([...leadingByTwo("5"), ...rejected])).toEqual(changing);
  });

  it("is certain if they could only make a tie with a larger amount", async () => {
    const rejected = times(2, voucher({ voucher_amount: "free" }));
    expect(await changeable([...leadingByTwo("5000"), ...rejected])).toEqual(unchanging);
  });

  it("is in doubt if it has no runner-up, and there are as many rejected rows as vouchers", async () => {
    const rejected = times(3, voucher({ voucher_amount: null }));
    expect(await changeable([...times(3, voucher()), ...rejected])).toEqual(changing);
  });

  it("is certain if the rejected rows are of its own amount", async () => {
    const rejected = times(5, voucher({ last_order_ts: "never" }));
    expect(await changeable([...leadingByTwo("5"), ...rejected])).toEqual(unchanging);
  });

  it("is certain if the rejected rows belong to another country, or surely to another segment", async () => {
    const other = { total_orders: "40", last_order_ts: "2019-01-01", voucher_amount: "free" };
    const rejected = [
      ...times(5, voucher({ country_code: "Chile", voucher_amount: "free" })),
      ...times(5, voucher(other)),
    ];
    expect(await changeable([...leadingByTwo("5"), ...rejected])).toEqual(unchanging);
  });

  it("is in doubt if the country or the segment of the rejected rows is unknown", async () => {
    const somewhere = voucher({ country_code: " ", voucher_amount: "5" });
    const everyKind = voucher({ country_code: " ", total_orders: null, voucher_amount: "5" });
    expect(await changeable([...leadingByTwo("5"), somewhere, everyKind])).toEqual(changing);
    const ofAnyOrders = times(
      2,
      voucher({ total_orders: "some", last_order_ts: "2019-01-01", voucher_amount: "5" }),
    );
    expect(await changeable([...leadingByTwo("5"), ...ofAnyOrders])).toEqual({
      frequent_segment: 1,
      recency_segment: 0,
    });
  });

  it("is certain if the rejected rows are later than the execution date", async () => {
    const rejected = times(5, voucher({ timestamp: "2021-01-01", voucher_amount: "free" }));
    expect(await changeable([...leadingByTwo("5"), ...rejected])).toEqual(unchanging);
  });

  it("that does not exist could come from a rejected row", async () => {
    const rejected = voucher({ country_code: "Chile", voucher_amount: "free" });
    const { report } = await runOver([...leadingByTwo("5"), rejected]);
    expect(report.measures["measures.answers_rejected_rows_could_change"]).toMatchObject([
      { segment_kind: "frequent_segment", answers: "1", possible_answers: "1" },
      { segment_kind: "recency_segment", answers: "1", possible_answers: "1" },
    ]);
  });
});

describe("pipeline rejected", () => {
  const vouchers = [
    ...leadingByTwo("5"),
    ...times(2, voucher({ voucher_amount: "free" })),
    voucher({ voucher_amount: "much", country_code: " Chile " }),
    voucher({ total_orders: " ", last_order_ts: "2020-02-30" }),
  ];

  it("shows counts by reason and country, each with an example, the answers closest to change, and rows in full", async () => {
    const { environment } = await runOver(vouchers);
    const { code, stdout } = await pipeline(["rejected", "-e", EXECUTION_DATE, "--rows", "2"], environment);
    expect(code).toBe(0);
    expect(stdout).toMatch(/voucher_amount_invalid +3\n/);
    expect(stdout).toMatch(/voucher_amount_invalid +Chile +1 +much +vouchers\/part\.parquet/);
    expect(stdout).toMatch(/last_order_ts_invalid +Peru +1 +2020-02-30/);
    expect(stdout).toMatch(/answers closest to change/);
    expect(stdout).toMatch(/rejected rows, 2 of 4\n/);
  });

  it("shows the same numbers as the run", async () => {
    const { environment, report } = await runOver(vouchers);
    const { stdout } = await pipeline(["rejected", "-e", EXECUTION_DATE, "--json"], environment);
    const { measures, rows } = JSON.parse(stdout) as { measures: object; rows: object[] };
    const ofRaw = { "measures.row_accounting": report.measures["measures.row_accounting"] };
    expect({ ...measures, ...ofRaw }).toEqual(report.measures);
    expect(rows).toHaveLength(4);
    expect(rows).toContainEqual(
      expect.objectContaining({
        reject_reasons: ["last_order_ts_invalid", "total_orders_missing"],
        last_order_ts: "2020-02-30",
        source_file: "vouchers/part.parquet",
      }),
    );
  });

  it("reports if nothing was rejected, and if there was no run", async () => {
    const { environment } = await runOver([voucher()]);
    expect(await pipeline(["rejected", "-e", EXECUTION_DATE], environment)).toMatchObject({
      code: 0,
      stdout: "no rejected rows for 2020-05-29T00:00:00Z\n",
    });
    expect(await pipeline(["rejected", "-e", "2019-01-01"], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("pipeline curate -e 2019-01-01T00:00:00Z"),
    });
  });
});

describe("the measures of provision", () => {
  it("are made if provision is made alone", async () => {
    const { settings, report } = await runOver([voucher(), voucher({ total_orders: null })]);
    const aggregated = await run(settings, EXECUTION_DATE, ["aggregate"]);
    expect(Object.keys(aggregated.measures)).toEqual([
      "measures.answers_closest_to_change",
      "measures.answers_rejected_rows_could_change",
    ]);
    expect(report.measures).toMatchObject(aggregated.measures);
  });
});
