import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";

let folder: string;
let settings: Settings;

/** One publication, and a second one in which Peru has another answer and a row is rejected for two reasons. */
beforeAll(async () => {
  const workspace = await runOver(times(3, voucher()), "2020-05-28");
  folder = path.join(workspace.folder, "metrics");
  settings = { ...workspace.settings, metricsFile: path.join(folder, "voucher_pipeline.prom") };
  await putVouchers(settings.zones.raw, [
    ...times(3, voucher({ voucher_amount: "70" })),
    voucher({ total_orders: null, country_code: "" }),
  ]);
  await run(settings, "2020-05-29");
});

/**
 * Reads the text format of Prometheus strictly: each family has its help and its type once, and then its samples, each once.
 * @returns the value of each sample, by its name and labels as they stand there.
 */
async function samples(): Promise<Map<string, number>> {
  const text = await readFile(settings.metricsFile ?? "", "utf8");
  expect(text).toMatch(/\n$/);
  const found = new Map<string, number>();
  const families = text
    .trimEnd()
    .split(/\n*^# HELP /m)
    .slice(1);
  const names = families.map((family) => {
    const [help = "", type = "", ...lines] = family.split("\n");
    const [, name = ""] = /^(voucher_pipeline_[a-z_]+) \S.*$/.exec(help) ?? [];
    expect(type).toBe(`# TYPE ${name} gauge`);
    expect(lines).not.toEqual([]);
    for (const line of lines) {
      const [, sample = "", value] =
        /^([a-z_]+(?:\{(?:[a-z_]+="[^"\\\n]*",?)+\})?) (\d+(?:\.\d+)?)$/.exec(line) ?? [];
      expect(sample.split("{")[0]).toBe(name);
      expect(found.has(sample)).toBe(false);
      found.set(sample, Number(value));
    }
    return name;
  });
  expect(new Set(names).size).toBe(names.length);
  return found;
}

const ALL = 'stages="curate,aggregate,publish"';

describe("the metrics of the runs", () => {
  it("have a successful run, its rows, its answers and the publication", async () => {
    const found = Object.fromEntries(await samples());
    expect(found).toMatchObject({
      [`voucher_pipeline_last_run_outcome{${ALL},outcome="succeeded"}`]: 1,
      [`voucher_pipeline_last_run_outcome{${ALL},outcome="failed"}`]: 0,
      [`voucher_pipeline_last_run_audits{${ALL},outcome="passed"}`]: 43,
      [`voucher_pipeline_last_run_warnings{${ALL}}`]: 0,
      voucher_pipeline_rows_read: 4,
      voucher_pipeline_rows_curated: 3,
      voucher_pipeline_rows_rejected: 1,
      voucher_pipeline_rows_out_of_scope: 0,
      'voucher_pipeline_rows_rejected_by_reason{reason="country_code_missing"}': 1,
      'voucher_pipeline_rows_rejected_by_reason{reason="total_orders_missing"}': 1,
      voucher_pipeline_answers: 2,
      voucher_pipeline_changed_answers: 2,
      'voucher_pipeline_answers_by_certainty{certainty="likely"}': 2,
      'voucher_pipeline_answers_by_certainty{certainty="toss-up"}': 0,
      voucher_pipeline_execution_date_timestamp_seconds: Date.parse("2020-05-29T00:00:00Z") / 1_000,
    });
    const age = Date.now() / 1_000 - (found["voucher_pipeline_published_timestamp_seconds"] ?? 0);
    expect(age).toBeLessThan(60);
  });

  it("keep the last success if a run fails, and show the failure", async () => {
    const before = await samples();
    await expect(run({ ...settings, maxRejectedShare: "0" }, "2020-05-30")).rejects.toThrow("rejected");
    const after = await samples();
    expect(Object.fromEntries(after)).toMatchObject({
      [`voucher_pipeline_last_run_outcome{${ALL},outcome="succeeded"}`]: 0,
      [`voucher_pipeline_last_run_outcome{${ALL},outcome="failed"}`]: 1,
      [`voucher_pipeline_last_run_audits{${ALL},outcome="failed"}`]: 1,
    });
    const kept = (found: Map<string, number>) =>
      [...found].filter(([sample]) => !sample.includes("_last_run_"));
    expect(kept(after)).toEqual(kept(before));
    expect(after.has(`voucher_pipeline_last_success_timestamp_seconds{${ALL}}`)).toBe(true);
  });

  it("have single stages separately, and leave no other file behind", async () => {
    await run(settings, "2020-05-29", ["publish"]);
    const found = await samples();
    expect(found.get('voucher_pipeline_last_run_outcome{stages="publish",outcome="succeeded"}')).toBe(1);
    expect(found.get(`voucher_pipeline_last_run_outcome{${ALL},outcome="failed"}`)).toBe(1);
    expect(found.get("voucher_pipeline_rows_read")).toBe(4);
    expect(found.get("voucher_pipeline_changed_answers")).toBe(0);
    expect(await readdir(folder)).toEqual(["voucher_pipeline.prom"]);
  });

  it("are a warning if they are not writable", async () => {
    const { warnings } = await run({
      ...settings,
      metricsFile: path.join(settings.metricsFile ?? "", "x.prom"),
    });
    expect(warnings).toEqual([expect.stringMatching(/^the metrics: E.*voucher_pipeline\.prom/)]);
  });
});
