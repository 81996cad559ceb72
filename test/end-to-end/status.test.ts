import { describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import { readStatus, type StatusReport, type StatusRequest } from "../../src/introspect/status.js";
import type { Stage } from "../../src/record/stages.js";
import { withdrawPublication } from "../../src/run/withdraw.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";
import { getFile, hashesOf, putFile, removeFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";
import { visible } from "./failing.js";

const NOW = new Date("2020-05-31T12:00:00Z");
const RAW_FILE = "vouchers/part.parquet";

/** The columns with the segments of published tables. */
const SEGMENTS: Readonly<Record<string, string>> = {
  voucher_frequent_most_used: "frequent_segment",
  voucher_recency_most_used: "recency_segment",
};

function status(settings: Settings, request: Partial<StatusRequest> = {}): Promise<StatusReport> {
  return readStatus(settings, {
    from: undefined,
    to: undefined,
    maxAgeDays: undefined,
    now: NOW,
    ...request,
  });
}

describe("pipeline status", () => {
  it("is healthy if every day is published from unchanged raw files", async () => {
    const { settings, environment } = await runOver([voucher()], "2020-05-28");
    await run(settings, "2020-05-29");
    expect(await status(settings)).toEqual({
      newest: {
        execution_date: "2020-05-29T00:00:00Z",
        published_at: expect.stringMatching(/^\d{4}-.*Z$/),
        age_days: 2,
        too_old: false,
        answers: 2,
        certainty: { sure: 0, likely: 0, "toss-up": 2 },
      },
      range: { from: "2020-05-28", to: "2020-05-29" },
      published: 2,
      missing: [],
      withdrawn: [],
      stale: [],
      outdated: [],
      failed: [],
      ignored_files: { count: 0, first: [] },
      same_bytes: [],
      healthy: true,
    });
    const { code, stdout } = await pipeline(["status"], environment);
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^newest publication: 2020-05-29.*\nall is well\n$/s),
    ]);
  });

  it("finds with --deep changes of others in the published tables, until they are published again", async () => {
    const { settings, environment } = await runOver(times(3, voucher()), "2020-05-28");
    await run(settings, "2020-05-29");
    const deep = async () => (await status(settings, { deep: true })).deep;
    expect(await deep()).toEqual({
      compared: 2,
      differences: [],
      not_compared: [],
      unpublished: [],
      tables: [],
      damage: [],
    });

    await readTable(
      settings,
      "UPDATE voucher_frequent_most_used SET voucher_amount = 1 WHERE execution_date LIKE '2020-05-28%'",
    );
    await readTable(settings, "DELETE FROM voucher_amount_usage WHERE execution_date LIKE '2020-05-29%'");
    await readTable(settings, "DROP TABLE voucher_country_most_used");
    const difference = (execution_date: string, table: string, rows_found: number) => ({
      execution_date,
      table,
      rows_published: expect.any(Number),
      rows_found,
    });
    expect(await deep()).toMatchObject({
      differences: expect.arrayContaining([
        difference("2020-05-28T00:00:00Z", "voucher_frequent_most_used", 1),
        difference("2020-05-29T00:00:00Z", "voucher_amount_usage", 0),
        difference("2020-05-29T00:00:00Z", "voucher_country_most_used", 0),
      ]),
      tables: [{ table: "voucher_country_most_used", what: "is missing" }],
    });
    const told = await pipeline(["status", "--deep"], environment);
    expect(told).toMatchObject({ code: 3, stdout: expect.stringContaining("rows differ: 4") });

    for (const date of ["2020-05-28", "2020-05-29"]) await run(settings, date, ["publish"]);
    expect(await status(settings, { deep: true })).toMatchObject({ healthy: true, deep: { compared: 2 } });
  });

  it("finds with --deep rows and tables from others", async () => {
    const { settings, environment } = await runOver(times(3, voucher()));
    const copyRow = (table: string, column: string, value: string) =>
      readTable(
        settings,
        `INSERT INTO ${table} (execution_date, country_code, ${SEGMENTS[table] ?? ""}, voucher_amount)
         SELECT ${column === "execution_date" ? value : "execution_date"},
         ${column === "country_code" ? value : "country_code"}, ${SEGMENTS[table] ?? ""}, voucher_amount FROM ${table}
         WHERE execution_date LIKE '2020-05-29%' AND country_code = 'Peru'`,
      );
    await copyRow("voucher_frequent_most_used", "country_code", "'Atlantis'");
    await copyRow("voucher_recency_most_used", "execution_date", "'2031-01-01T000000'");
    await copyRow("voucher_recency_most_used", "execution_date", "'2031-01-01'");
    await readTable(settings, "CREATE TABLE copied AS SELECT * FROM voucher_country_most_used");
    await readTable(settings, "DROP TABLE voucher_country_most_used");
    await readTable(settings, "ALTER TABLE copied RENAME TO voucher_country_most_used");
    const table = "voucher_recency_most_used";
    const { deep } = await status(settings, { deep: true });
    expect(deep).toMatchObject({
      compared: 1,
      differences: expect.arrayContaining([
        expect.objectContaining({ table: "voucher_frequent_most_used", rows_published: 1, rows_found: 2 }),
        expect.objectContaining({ table: "voucher_country_most_used", rows_found: null }),
      ]),
      unpublished: [
        { execution_date: "2031-01-01", table, rows_found: 1 },
        { execution_date: "2031-01-01T00:00:00Z", table, rows_found: 1 },
      ],
      tables: expect.arrayContaining([
        {
          table: "voucher_country_most_used",
          what: expect.stringContaining("the key is none instead of"),
        },
      ]),
    });
    const { code, stdout } = await pipeline(["status", "--deep"], environment);
    expect(code).toBe(3);
    expect(stdout).toContain(
      "rows of unpublished dates: 2\n  2031-01-01: voucher_recency_most_used has 1 row;",
    );
  });

  it("finds with --deep no fault in the rows of a withdrawn date", async () => {
    const { settings } = await runOver([voucher()]);
    await withdrawPublication(settings, parseExecutionDate(EXECUTION_DATE), "it is wrong");
    expect((await status(settings, { deep: true })).deep).toMatchObject({ unpublished: [], differences: [] });
  });

  it("lists with --deep publications without a record of their rows, and is healthy", async () => {
    const { settings } = await runOver(times(3, voucher()), "2020-05-28");
    await readTable(settings, "DELETE FROM published_rows");
    const { healthy, deep } = await status(settings, { deep: true });
    expect(deep).toMatchObject({
      compared: 0,
      not_compared: [{ execution_date: "2020-05-28T00:00:00Z", why: expect.stringContaining("publish -e") }],
    });
    expect(healthy).toBe(true);
  });

  it("names the days without a publication, even beyond the newest one", async () => {
    const { settings } = await runOver([voucher()], "2020-05-26");
    await run(settings, "2020-05-29");
    expect(await status(settings)).toMatchObject({ missing: ["2020-05-27", "2020-05-28"], healthy: false });
    const range = { from: parseExecutionDate("2020-05-28"), to: parseExecutionDate("2020-05-31") };
    expect(await status(settings, range)).toMatchObject({
      range: { from: "2020-05-28", to: "2020-05-31" },
      published: 1,
      missing: ["2020-05-28", "2020-05-30", "2020-05-31"],
    });
  });

  it("counts a day as published at any hour", async () => {
    const { settings } = await runOver([voucher()], "2020-05-28T06:00:00");
    await run(settings, "2020-05-29T18:30:00");
    expect((await status(settings)).missing).toEqual([]);
  });

  it("reports that the newest publication is too old if it is older than the limit", async () => {
    const { settings } = await runOver([voucher()]);
    expect(await status(settings, { maxAgeDays: 1 })).toMatchObject({
      newest: { too_old: true },
      healthy: false,
    });
    expect(await status(settings, { maxAgeDays: 2 })).toMatchObject({
      newest: { too_old: false },
      healthy: true,
    });
  });

  it.each<[string, (settings: Settings) => Promise<void>, string]>([
    [
      "grown",
      ({ zones }) => putVouchers(zones.raw, [voucher({ country_code: "x".repeat(60) }), voucher()]),
      "grown",
    ],
    ["gone", ({ zones }) => removeFile(zones.raw, RAW_FILE), "gone"],
  ])("names the dates with a raw file that has %s", async (_what, change, named) => {
    const { settings } = await runOver([voucher()], "2020-05-28");
    await run(settings, "2020-05-29");
    await change(settings);
    const files = [{ path: RAW_FILE, change: named }];
    expect(await status(settings)).toMatchObject({
      stale: [
        { execution_date: "2020-05-29T00:00:00Z", files },
        { execution_date: "2020-05-28T00:00:00Z", files },
      ],
      healthy: false,
    });
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await run(settings, "2020-05-29");
    expect((await status(settings)).stale).toMatchObject([{ execution_date: "2020-05-28T00:00:00Z" }]);
  });

  it("ignores a raw file that was written again with the same bytes, and new ones", async () => {
    const { settings } = await runOver([voucher()]);
    await putFile(settings.zones.raw, RAW_FILE, await getFile(settings.zones.raw, RAW_FILE));
    await putVouchers(settings.zones.raw, [voucher()], "vouchers/next.parquet");
    expect((await status(settings)).stale).toEqual([]);
  });

  it("names a date whose last run failed, until a run succeeds", async () => {
    const { settings, environment } = await runOver([voucher()]);
    const failing = { ...settings, maxRejectedShare: "0" };
    await putVouchers(settings.zones.raw, [voucher(), voucher({ voucher_amount: null })]);
    await run(failing, "2020-05-30").catch(() => undefined);
    expect(await status(settings, { to: parseExecutionDate("2020-05-29") })).toMatchObject({
      failed: [{ execution_date: "2020-05-30T00:00:00Z", outcome: "failed", error_code: "AUDIT_FAILED" }],
      healthy: false,
    });
    const { code, stdout } = await pipeline(["status"], environment);
    expect([code, stdout]).toEqual([
      3,
      expect.stringMatching(/failed: 1\n {2}2020-05-30T00:00:00Z: failed with AUDIT_FAILED;/),
    ]);
    await run(settings, "2020-05-30");
    expect((await status(settings)).failed).toEqual([]);
  });

  it("is healthy again after one run, if only rows without an answer have changed", async () => {
    const { settings } = await runOver([voucher()]);
    await putVouchers(settings.zones.raw, [voucher(), voucher({ voucher_amount: "free" })]);
    expect((await status(settings)).stale).toHaveLength(1);
    expect((await run(settings)).published).toMatchObject({ isNew: false });
    expect(await status(settings)).toMatchObject({ stale: [], healthy: true });
  });

  it("names a date as stale until all stages have run again, even if it was published since", async () => {
    const { settings } = await runOver([voucher()]);
    await putVouchers(settings.zones.raw, [voucher(), voucher({ country_code: "Chile" })]);
    const { run_id } = await run(settings, EXECUTION_DATE, ["publish"]);
    // More runs than a command shows.
    for (let copy = 1; copy <= 20; copy += 1) {
      const id = `${run_id}-${copy.toString()}`;
      await readTable(
        settings,
        `INSERT INTO pipeline_runs SELECT '${id}', execution_date, stages, outcome, started_at, ended_at, started_by,
         sql_version, sql_hash, error_code, error_message, record FROM pipeline_runs WHERE run_id = '${run_id}'`,
      );
      for (const event of ["began", "ended"])
        await readTable(settings, `INSERT INTO run_order (run_id, event) VALUES ('${id}', '${event}')`);
    }
    const stale = async () => (await status(settings)).stale.length;
    expect(await stale()).toBe(1);
    await run(settings, EXECUTION_DATE, ["curate"]);
    await run(settings, EXECUTION_DATE, ["publish"]);
    expect(await stale()).toBe(1);
    await run(settings, EXECUTION_DATE, ["aggregate"]);
    expect(await stale()).toBe(1);
    await run(settings, EXECUTION_DATE, ["publish"]);
    expect(await status(settings)).toMatchObject({ stale: [], healthy: true });
  });

  it("names a failed date until its stages have succeeded in their order, in one run or in several", async () => {
    const { settings } = await runOver([voucher()]);
    await putVouchers(settings.zones.raw, [voucher(), voucher({ voucher_amount: null })]);
    await run({ ...settings, maxRejectedShare: "0" }).catch(() => undefined);
    const failed = async (stage: Stage) => {
      await run(settings, EXECUTION_DATE, [stage]);
      return (await status(settings)).failed.length;
    };
    expect(await failed("publish")).toBe(1);
    expect(await failed("curate")).toBe(1);
    expect(await failed("publish")).toBe(1);
    expect(await failed("aggregate")).toBe(1);
    expect(await failed("publish")).toBe(0);
  });

  it("uses the order of runs in the database, whatever the clocks of their hosts show", async () => {
    const { settings } = await runOver([voucher()]);
    const report = await run({ ...settings, maxRejectedShare: "0" });
    await readTable(
      settings,
      `UPDATE pipeline_runs SET started_at = '2001-01-01T00:00:00.000Z', ended_at = '2001-01-01T00:00:00.000Z',
       outcome = 'failed' WHERE run_id = '${report.run_id}'`,
    );
    expect((await status(settings)).failed).toMatchObject([{ run_id: report.run_id }]);
    const [last] = await readHistory(settings, { limit: 1 });
    expect(last).toMatchObject({ run_id: report.run_id });
  });

  it("does not count a withdrawn date as missing", async () => {
    const { settings } = await runOver([voucher()]);
    await run(settings, "2020-06-05");
    await withdrawPublication(settings, parseExecutionDate("2020-06-05"), "it is wrong");
    expect(await status(settings)).toMatchObject({
      range: { from: "2020-05-29", to: "2020-05-29" },
      missing: [],
      withdrawn: [{ execution_date: "2020-06-05T00:00:00Z" }],
      healthy: false,
    });
    const to = parseExecutionDate("2020-05-31");
    expect(await status(settings, { to })).toMatchObject({
      missing: ["2020-05-30", "2020-05-31"],
      withdrawn: [],
    });
  });

  it("shows that a publication is ahead of the clock, and not its age", async () => {
    const { environment, settings } = await runOver([voucher()], "2030-01-01");
    expect((await pipeline(["status"], environment)).stdout).toMatch(
      /^newest publication: 2030-01-01T00:00:00Z, [\d,]+ days ahead of the clock\n/,
    );
    expect((await status(settings)).newest).toMatchObject({ age_days: 0, days_ahead: 3502, too_old: false });
  });

  it("ends with 3 before anything is published", async () => {
    const { settings, environment } = await makeWorkspace();
    expect(await pipeline(["status"], environment)).toMatchObject({
      code: 3,
      stdout: "no publication yet\n",
    });
    expect(await status(settings)).toMatchObject({ newest: null, range: null, healthy: false });
  });

  it("changes nothing", async () => {
    const workspace = await runOver([voucher()]);
    const before = [await visible(workspace), await hashesOf(workspace.settings.zones.raw)];
    await status(workspace.settings);
    expect([await visible(workspace), await hashesOf(workspace.settings.zones.raw)]).toEqual(before);
  });

  it.each([["--max-age=-1"], ["--from=soon"]])("refuses %s", async (option) => {
    const { environment } = await makeWorkspace();
    expect((await pipeline(["status", option], environment)).code).toBe(2);
  });
});
