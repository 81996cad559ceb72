import type { Settings } from "../../src/settings/settings.js";
import { putParquet } from "../duckdb.js";
import { run } from "../run/running.js";
import { makeWorkspace } from "../workspace.js";

/** One value for each segment of sql/v1/segments.json: orders, and the day of the last order. */
const ORDERS = [2, 9, 20, 50];
const LAST_ORDERS = ["2020-04-20", "2020-03-20", "2020-02-20", "2020-01-20", "2019-12-20", "2019-09-20"];
/** Each segment of both kinds is in as many of these pairs. */
const PAIRS = 12;

/**
 * Publishes two dates with answers for many countries: sure ones, likely ones and toss-ups, and some that change. The third country
 * is new on the second date, and the fourth is gone.
 */
export async function publishedCountries(count: number): Promise<Settings> {
  const { settings } = await makeWorkspace();
  const names = countryNames().slice(0, count);
  for (const [day, date] of ["2020-05-28", "2020-05-29"].entries()) {
    const absent = names[day === 0 ? 2 : 3] ?? "";
    await putParquet(settings.zones.raw, "vouchers/part.parquet", vouchersOf(names, absent, day));
    await run(settings, date);
  }
  return settings;
}

/** Those that have a two-letter code, by their English names. */
function countryNames(): string[] {
  const letters = Array.from("ABCDEFGHIJKLMNOPQRSTUVWXYZ");
  const names = new Intl.DisplayNames("en", { type: "region", fallback: "none" });
  const regions = letters.flatMap((first) => letters.map((second) => names.of(first + second)));
  return [...new Set(regions.filter((name) => name !== undefined))].sort();
}

function vouchersOf(names: readonly string[], absent: string, day: number): string {
  const list = (values: readonly (string | number)[]) =>
    `[${values.map((value) => `'${value.toString().replaceAll("'", "''")}'`).join(", ")}]`;
  // Of every pair of a country some share of the vouchers has its amount, and the others have one of three others.
  return `
    WITH pairs AS (
      SELECT
        country, pair,
        3 + hash(country, pair) % 40 AS vouchers,
        35 + hash(pair, country, 'share') % 60 AS share,
        100 * (10 + hash(country) % 40) * (1 + CAST(${day.toString()} = 1 AND hash(country, pair) % 30 = 0 AS INTEGER)) AS amount
      FROM (SELECT unnest(${list(names)}) AS country), range(${PAIRS.toString()}) AS numbers(pair)
      WHERE country <> '${absent.replaceAll("'", "''")}'
    )
    SELECT
      '2020-05-01 10:00:00+00:00' AS "timestamp",
      country AS country_code,
      ${list(LAST_ORDERS)}[pair % ${LAST_ORDERS.length.toString()} + 1] || ' 00:00:00+00:00' AS last_order_ts,
      '2015-01-01 00:00:00+00:00' AS first_order_ts,
      ${list(ORDERS)}[pair % ${ORDERS.length.toString()} + 1] AS total_orders,
      CAST(CASE
        WHEN hash(country, pair, voucher) % 100 < share THEN amount
        ELSE 100 * (5 + hash(country, pair, voucher, 'other') % 3)
      END AS VARCHAR) AS voucher_amount
    FROM pairs, LATERAL (SELECT unnest(range(CAST(vouchers AS BIGINT))) AS voucher)`;
}
