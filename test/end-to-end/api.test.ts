import { describe, expect, it } from "@jest/globals";
import { ask, askForVoucher, startApi, type Api } from "../api/process.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { until } from "../until.js";
import { makeWorkspace } from "../workspace.js";

interface Page {
  readonly rows: Record<string, string | number | null>[];
  readonly next: string | null;
}

/** All rows of a table, by pages of three. */
async function rowsByPages(api: Api, table: string): Promise<Page["rows"]> {
  const rows: Page["rows"] = [];
  for (let next: string | null = ""; next !== null;) {
    const after = next === "" ? "" : `&after=${next}`;
    const page = (await (await ask(api, `/v1/tables/${table}?limit=3${after}`)).json()) as Page;
    rows.push(...page.rows);
    next = page.next;
  }
  return rows;
}

const asText = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort();

describe("the api", () => {
  it("serves the last publication, within moments, and reports if nothing is published", async () => {
    const { settings, environment } = await makeWorkspace();
    const api = startApi({ ...environment, API_REFRESH_SECONDS: "0.1" });
    const answer = async () => {
      const response = await askForVoucher(api);
      return [response.status, await response.text()] as const;
    };
    expect(await answer()).toEqual([503, expect.stringContaining("no-publication")]);
    await putVouchers(settings.zones.raw, times(2, voucher()));
    await run(settings);
    expect(await answer()).toEqual([200, '{"voucher_amount":2640}']);
    await putVouchers(
      settings.zones.raw,
      times(3, voucher({ voucher_amount: "3520" })),
      "vouchers/new.parquet",
    );
    await run(settings, EXECUTION_DATE);
    await until(async () => (await answer())[1] === '{"voucher_amount":3520}');
  });

  it("gives every table of the database in pages, in an order that has each row once", async () => {
    const { settings, environment } = await makeWorkspace();
    const countries = ["Peru", "Perú", "peru", "Peru 2", "中国", "🎁", "O'Neill", "a\\b", '"', "Zz"];
    const vouchers = countries.flatMap((country_code, index) =>
      [1, 2, 50].map((orders) =>
        voucher({ country_code, total_orders: String(orders), voucher_amount: String(index + orders) }),
      ),
    );
    await putVouchers(settings.zones.raw, vouchers);
    await run(settings);
    const api = startApi(environment);
    for (const table of [
      "voucher_amount_usage",
      "voucher_answers",
      "voucher_country_most_used",
      "voucher_frequent_most_used",
      "voucher_recency_most_used",
    ]) {
      const expected = await readTable(settings, `SELECT * FROM ${table}`);
      const rows = await rowsByPages(api, table);
      expect(rows.length).toBeGreaterThanOrEqual(countries.length);
      expect(asText(rows)).toEqual(asText(expected));
    }
  });

  it("answers every published cell like the table", async () => {
    const { settings, environment } = await makeWorkspace();
    const countries = ["Peru", "Perú", "peru", "中国"];
    const orders: Record<string, number> = { "0-4": 0, "5-13": 5, "13-37": 37, "37+": 38 };
    const vouchers = countries.flatMap((country_code, index) =>
      Object.values(orders).map((total_orders) =>
        voucher({
          country_code,
          total_orders: String(total_orders),
          voucher_amount: String(100 * index + total_orders + 1),
        }),
      ),
    );
    await putVouchers(settings.zones.raw, vouchers);
    await run(settings);
    const api = startApi(environment);
    const rows = (await readTable(settings, "SELECT * FROM voucher_frequent_most_used")) as {
      country_code: string;
      frequent_segment: string;
      voucher_amount: number;
    }[];
    expect(rows).toHaveLength(16);
    for (const { country_code, frequent_segment, voucher_amount } of rows) {
      const query = new URLSearchParams({
        country_code,
        segment_name: "frequent_segment",
        total_orders: String(orders[frequent_segment]),
      });
      const answer: unknown = await (await ask(api, `/v1/vouchers/most-used?${query.toString()}`)).json();
      expect(answer).toMatchObject({ voucher_amount, segment: frequent_segment, basis: "segment" });
    }
  });
});
