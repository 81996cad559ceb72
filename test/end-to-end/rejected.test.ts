import { describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/warm-command.js";
import { times, voucher, type RawVoucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";

/** Three vouchers of 2640 and one of another amount, so that 2640 leads by two. */
function leadingByTwo(runnerUp: string): RawVoucher[] {
  return [...times(3, voucher()), voucher({ voucher_amount: runnerUp })];
}

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
