// Raw vouchers of many countries, the same at every call: each country has every segment, and in each of them every amount.
import { mkdirSync } from "node:fs";
import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";

/** One value for each segment of sql/v1/segments.json: orders, and days without an order before 2020-05-01, 28 before the run's date. */
const ORDERS = [2, 9, 20, 50];
const DAYS = [1, 20, 50, 80, 110, 300];
/** So many pairs of both have every segment equally often. */
const PAIRS = 12;

/**
 * Writes them as one Parquet file of a raw zone.
 * @param otherShare the share of the countries in which the first amount is gone, and another one is new.
 * @returns how many rows there are.
 */
export async function writeManyCountries(rawZone, { countries, amounts, otherShare = 0 }) {
  const file = path.join(rawZone, "vouchers", "vouchers.parquet");
  mkdirSync(path.dirname(file), { recursive: true });
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  try {
    await connection.run(`
      COPY (
        SELECT
          '2020-05-01 10:00:00' AS "timestamp",
          printf('Country %06d', country) AS country_code,
          CAST(TIMESTAMP '2020-05-01 09:00:00' - to_days([${DAYS}][pair % ${DAYS.length} + 1]) AS VARCHAR) AS last_order_ts,
          '2015-01-01 00:00:00' AS first_order_ts,
          [${ORDERS}][pair % ${ORDERS.length} + 1] AS total_orders,
          -- The first amount comes twice, so that it is the answer.
          100 * (greatest(1, voucher) + CAST(hash(country) % 1000 < ${1000 * otherShare} AS INTEGER)) AS voucher_amount
        FROM range(${countries}) AS countries(country), range(${PAIRS}) AS pairs(pair), range(${amounts + 1}) AS vouchers(voucher)
      ) TO '${file}' (FORMAT parquet)`);
    const counted = await connection.runAndReadAll(`SELECT count(*) FROM '${file}'`);
    return Number(counted.getRowsJson()[0][0]);
  } finally {
    connection.closeSync();
  }
}
