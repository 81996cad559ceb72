import { openConsumption } from "../../../../src/consumption/open-consumption.js";
import { recordEnd, recordStart, type RunEnd } from "../../../../src/consumption/recorded-runs.js";
import type { Settings } from "../../../../src/settings/settings.js";
import { times, voucher } from "../../../raw-vouchers.js";

/** 12 rows: 4 rejected, two of them for two reasons, and one that was not known yet. */
export const VOUCHERS = [
  ...times(7, voucher()),
  voucher({ timestamp: "2021-01-01 00:00:00" }),
  voucher({ total_orders: "many" }),
  voucher({ country_code: "Chile", voucher_amount: null }),
  ...times(2, voucher({ country_code: "Chile", total_orders: "", voucher_amount: "none" })),
];

/** Puts a run into the history that left what a test says. Returns its id. */
export async function recordRun(
  { consumptionUrl }: Settings,
  end: Partial<RunEnd> | undefined,
  executionDate = "2020-06-01T000000",
): Promise<string> {
  const consumption = await openConsumption(consumptionUrl);
  const run_id = `${executionDate}-recorded`;
  await recordStart(consumption, {
    run_id,
    execution_date: executionDate,
    stages: "curate",
    started_at: new Date().toISOString(),
    started_by: "somebody",
    sql_version: "v1",
    sql_hash: "abc",
  });
  if (end !== undefined)
    await recordEnd(consumption, run_id, {
      outcome: "succeeded",
      ended_at: new Date().toISOString(),
      error_code: null,
      error_message: null,
      record: null,
      ...end,
    });
  await consumption.close();
  return run_id;
}

const BLOCKS =
  /<\/?(?:h\d|p|dl|dt|dd|div|table|tr|th|td|ul|li|pre|section|summary|details|svg|text)\b[^>]*>/g;

/** What a person reads on a page, without what stands around it. */
export function mainTextOf(html: string): string {
  const main = /<main[^]*<\/main>/.exec(html)?.[0] ?? "";
  const text = main.replaceAll(BLOCKS, " ").replaceAll(/<[^>]*>/g, "");
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&")
    .replaceAll(/\s+/g, " ");
}
