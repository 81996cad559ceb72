import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { RunReport } from "../../src/record/run-record.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { listFiles, putFile } from "../storage.js";
import { SHIPPED_SQL } from "../workspace.js";
import { expectFailure, goodWorkspace, HEADER, LINE, visible, withSql } from "./failing.js";

/** An audit that the amounts of more than 1000 break. */
const audit = (options: string) =>
  `/*\ndescription: No amount is large.\n${options}*/\nSELECT voucher_amount FROM {{ model.name | ref }} WHERE voucher_amount > 1000 ORDER BY ALL\n`;

/** A table of the amounts, with an audit of them. */
const model = (use: string) => `/*
description: The amounts
audits: [${use}]
columns:
  voucher_amount: { type: INTEGER, description: The amount }
  execution_date: { type: VARCHAR, description: The date }
*/
SELECT voucher_amount, {{ partition_key }} AS execution_date FROM {{ "curated.vouchers" | ref }} ORDER BY ALL
`;

/** Three small amounts in a hundred, 97 that break the audit. */
async function withAudit(options: string, use = "no_large_amount") {
  const made = await withSql({
    "audits/no_large_amount.sql": audit(options),
    "provision/amounts.sql": model(use),
  });
  await putVouchers(made.settings.zones.raw, [
    ...times(97, voucher()),
    ...times(3, voucher({ voucher_amount: "5" })),
  ]);
  return made;
}

function resultIn(report: RunReport) {
  return report.audits.find(({ audit: name }) => name === "no_large_amount");
}

describe("an audit", () => {
  it("that only warns lets the run publish, and shows the promise, how many rows break it, and the first twenty", async () => {
    const { settings } = await withAudit("severity: warn\n");
    const report = await run(settings);
    expect(report.published).toMatchObject({ isNew: true });
    expect(report.warnings).toEqual([
      expect.stringContaining("provision.amounts fails the audit no_large_amount: 97 rows"),
    ]);
    expect(resultIn(report)).toEqual({
      model: "provision.amounts",
      audit: "no_large_amount",
      promise: "No amount is large.",
      severity: "warn",
      outcome: "warned",
      broken: 97,
      threshold: { rows: 0 },
      rows: times(20, voucher()).map(() => ({ voucher_amount: 2640 })),
    });
  });

  it.each([
    ["as many rows as may", "threshold: { rows: 97 }\n"],
    ["the share that may", "threshold: { share: 0.97 }\n"],
  ])("that %s break passes", async (_what, options) => {
    const { settings } = await withAudit(options);
    expect(resultIn(await run(settings))).toMatchObject({ outcome: "passed", broken: 97 });
  });

  it.each([
    ["one row more than may", "threshold: { rows: 96 }\n", "97 rows fail, 96 allowed"],
    ["a larger share than may", "threshold: { share: 0.969 }\n", "97 rows fail, 96.9% allowed"],
  ])("that %s break ends the run", async (_what, options, words) => {
    const { workspace, settings } = await withAudit(options);
    await expectFailure(workspace, "AUDIT_FAILED", [words, "and 77 more rows"], settings);
  });

  it("has the severity that its model sets", async () => {
    const { settings } = await withAudit("", "{ no_large_amount: { severity: warn } }");
    expect(resultIn(await run(settings))).toMatchObject({ outcome: "warned", severity: "warn" });
  });

  it("that fails is in the record of the run, next to those that passed", async () => {
    const { workspace, settings } = await withAudit("");
    await expectFailure(workspace, "AUDIT_FAILED", ["no_large_amount"], settings);
    const [row] = (await readTable(
      settings,
      "SELECT record FROM pipeline_runs ORDER BY started_at DESC LIMIT 1",
    )) as { record: string }[];
    const record = JSON.parse(row?.record ?? "") as RunReport;
    expect(resultIn(record)).toMatchObject({ outcome: "failed", broken: 97 });
    expect(record.audits.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(5);
    expect(record.inputs).toHaveLength(1);
  });
});

describe("the staged files of a failed run", () => {
  const kept = async (zone: string) => (await listFiles(zone)).filter((file) => file.startsWith("_"));

  it("are gone", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, times(4, voucher({ timestamp: "2021-01-01" })));
    await expectFailure(workspace, "AUDIT_FAILED", ["not_empty"]);
    expect(await kept(workspace.settings.zones.curated)).toEqual([]);
  });

  it("are kept on request, the message shows their place, and the next successful run removes them", async () => {
    const workspace = await goodWorkspace();
    const { settings } = workspace;
    await putVouchers(settings.zones.raw, times(4, voucher({ timestamp: "2021-01-01" })));
    const failure: unknown = await run(settings, EXECUTION_DATE, ["curate", "aggregate", "publish"], {
      keepStaged: true,
    }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "AUDIT_FAILED" });
    const files = await kept(settings.zones.curated);
    expect(files).toContainEqual(
      expect.stringMatching(/^_kept\/.*\/vouchers\/execution_date=2020-05-29T000000\/data\.parquet$/),
    );
    for (const file of files)
      expect((failure as Error).message).toContain(`${settings.zones.curated}/${file}`);

    await expect(run(settings)).rejects.toMatchObject({ code: "AUDIT_FAILED" });
    expect(await kept(settings.zones.curated)).toEqual(files);

    await putVouchers(settings.zones.raw, times(3, voucher()));
    await run(settings);
    expect(await kept(settings.zones.curated)).toEqual([]);
    expect(await visible(workspace)).toEqual(workspace.before);
  });

  it.each([
    ["Parquet files", {}, "3"],
    ["Parquet and CSV files", { "late.csv": `${HEADER}\n${LINE}\n` }, "4"],
  ])("end a run that has not read every row of its %s", async (_what, files, rows) => {
    const rawModel = await readFile(path.join(SHIPPED_SQL, "v1/raw/vouchers.sql"), "utf8");
    const { workspace, settings } = await withSql({ "raw/vouchers.sql": `${rawModel}\nLIMIT 2\n` });
    for (const [name, text] of Object.entries(files))
      await putFile(settings.zones.raw, `vouchers/${name}`, text);
    const message = await expectFailure(
      workspace,
      "AUDIT_FAILED",
      ["raw.vouchers fails the audit every_raw_row_is_read"],
      settings,
    );
    expect(message).toMatch(new RegExp(`rows_in_files +rows_read\\s+${rows} +2`));
  });
});
