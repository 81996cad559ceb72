import { cp, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { dictionaryOf } from "../../src/dictionary/dictionary.js";
import { loadSqlVersion } from "../../src/models/load.js";
import { traceForDictionary } from "../../src/run/column-lineage.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { readPartition, run } from "../run/running.js";
import { makeWorkspace, SHIPPED_SQL } from "../workspace.js";

const MODEL = `/*
description: How much was given away in each country and month.
key: [country_code, month]
publish: true
audits:
  - months_give_something:
      description: Every month gave something away.
      select: |
        SELECT country_code, month FROM {{ model.name | ref }}
        -- One voucher is not yet something.
        WHERE total_amount < {{ at_least }}
      at_least: 5000
columns:
  country_code:    { type: VARCHAR, max_length: 64, description: Country of the customers }
  month:           { type: DATE, description: The first day of the month }
  vouchers:        { type: BIGINT, description: Vouchers of the month }
  total_amount:    { type: BIGINT, description: "What they are worth, in whole currency units" }
  mean_amount:     { type: DOUBLE, description: "total_amount / vouchers" }
  internal_note:   { type: VARCHAR, publish: false, description: Stays in the zone }
  has_large:       { type: BOOLEAN, description: Whether an amount was above 3000 }
  latest:          { type: TIMESTAMP, description: The latest assignment }
  execution_date:  { type: VARCHAR, max_length: 17, description: The partition }
*/
SELECT
  country_code,
  CAST(date_trunc('month', "timestamp") AS DATE) AS month,
  count(*) AS vouchers,
  CAST(sum(voucher_amount) AS BIGINT) AS total_amount,
  avg(voucher_amount) AS mean_amount,
  'note' AS internal_note,
  bool_or(voucher_amount > 3000) AS has_large,
  max("timestamp") AS latest,
  {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }}
GROUP BY country_code, month
ORDER BY ALL
`;

async function workspaceWithModel() {
  const workspace = await makeWorkspace();
  const sqlDirectory = path.join(workspace.folder, "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  await writeFile(path.join(sqlDirectory, "v1/provision/voucher_monthly_value.sql"), MODEL);
  return { ...workspace.settings, sqlDirectory };
}

describe("a model from one new file", () => {
  it("is built, committed, published and documented", async () => {
    const settings = await workspaceWithModel();
    await putVouchers(settings.zones.raw, [...times(2, voucher()), voucher({ voucher_amount: "4000" })]);
    const report = await run(settings);

    const row = {
      country_code: "Peru",
      month: "2020-05-01",
      mean_amount: 3093.3333333333335,
      latest: "2020-05-01 10:00:00",
    };
    // Each database writes the microseconds of a moment in its own way.
    const latest: unknown = expect.stringMatching(/^2020-05-01 10:00:00(\.000000)?$/);
    const execution_date = "2020-05-29T000000";
    expect(await readPartition(settings, "provision.voucher_monthly_value")).toEqual([
      { ...row, vouchers: "3", total_amount: "9280", internal_note: "note", has_large: true, execution_date },
    ]);
    expect(await readTable(settings, "SELECT * FROM voucher_monthly_value")).toEqual([
      { ...row, vouchers: 3, total_amount: 9280, has_large: 1, execution_date, latest },
    ]);
    for (const audit of ["unique_key", "months_give_something"]) {
      expect(report.audits).toContainEqual(
        expect.objectContaining({ model: "provision.voucher_monthly_value", audit, outcome: "passed" }),
      );
    }

    const version = await loadSqlVersion(settings.sqlDirectory, "v1");
    const dictionary = dictionaryOf(version, await traceForDictionary(version));
    expect(dictionary).toContain("## provision.voucher_monthly_value");
    expect(dictionary).toContain("How much was given away in each country and month.");
    expect(dictionary).toContain("`months_give_something` (Every month gave something away.)");
    expect((await run(settings)).published).toMatchObject({ isNew: false });
  });

  it("is refused if its audit reads a measure of raw files, which `aggregate` alone does not have", async () => {
    const settings = await workspaceWithModel();
    const file = path.join(settings.sqlDirectory, "v1/provision/voucher_monthly_value.sql");
    const reading = MODEL.replace("{{ model.name | ref }}", '{{ "measures.row_accounting" | ref }}');
    await writeFile(file, reading);
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await expect(run(settings)).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining("its audits cannot read measures.row_accounting"),
    });
  });

  it("can stop the run with its own audit", async () => {
    const settings = await workspaceWithModel();
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run(settings)).rejects.toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringContaining("months_give_something. Every month gave something away."),
    });
  });
});
