import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { query } from "../duckdb.js";
import { PROJECT } from "../workspace.js";

const FILES = path.join(PROJECT, "data/raw/vouchers");
const SAMPLE = `(
  FROM read_parquet('${FILES}/*.parquet')
  UNION ALL BY NAME
  SELECT * REPLACE (CAST(voucher_amount AS DOUBLE) AS voucher_amount, coalesce(total_orders, '') AS total_orders)
  FROM read_csv('${FILES}/*.csv', all_varchar = true)
)`;

async function share(condition: string): Promise<number> {
  const [row] = await query(`SELECT count(*) FILTER (${condition}) / count(*) AS share FROM ${SAMPLE}`);
  return Number(row?.["share"]);
}

describe("the sample", () => {
  it.each([
    ["China", 0.33],
    ["Australia", 0.26],
    ["Peru", 0.21],
    ["Latvia", 0.2],
  ])("has of %s about the share of the real feed", async (country, wanted) => {
    expect(Math.abs((await share(`country_code = '${country}'`)) - wanted)).toBeLessThan(0.04);
  });

  it("has its faults: 8 % without orders, 5.8 % without an amount", async () => {
    expect(await share("total_orders = ''")).toBeCloseTo(0.08, 2);
    expect(await share("voucher_amount IS NULL")).toBeCloseTo(0.058, 2);
  });

  it("has three to five amounts in each country", async () => {
    const rows = await query(
      `SELECT country_code, count(DISTINCT voucher_amount)::INTEGER AS amounts FROM ${SAMPLE} GROUP BY 1`,
    );
    for (const { amounts } of rows) expect([3, 4, 5]).toContain(amounts);
  });

  it("runs from June 2017 to 28 May 2020, as text with an offset", async () => {
    const [row] = await query(`SELECT min("timestamp") AS first, max("timestamp") AS last FROM ${SAMPLE}`);
    expect(row?.["first"]).toMatch(/^2017-06-.*\+00:00$/);
    expect(row?.["last"]).toMatch(/^2020-05-28 .*\+00:00$/);
  });

  it("has a few vouchers that are exactly the same", async () => {
    const [row] = await query(
      `SELECT (count(*) - (SELECT count(*) FROM (SELECT DISTINCT * FROM ${SAMPLE})))::INTEGER AS doubles FROM ${SAMPLE}`,
    );
    expect(row?.["doubles"]).toBe(20);
  });
});
