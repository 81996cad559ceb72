import { rename } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { readHistory } from "../../../../src/introspect/history.js";
import { pageOf } from "../../../../src/record/page.js";
import { toldRunOf } from "../../../../src/record/past-run.js";
import { storyOf } from "../../../../src/record/story.js";
import { withdrawPublication } from "../../../../src/run/withdraw.js";
import type { Settings } from "../../../../src/settings/settings.js";
import { parseExecutionDate } from "../../../../src/voucher/execution-date.js";
import { putVouchers, times, voucher } from "../../../raw-vouchers.js";
import { run, runOver } from "../../../run/running.js";
import { makeWorkspace } from "../../../workspace.js";
import { serve, type ServedApi } from "../../serving.js";
import { mainTextOf, recordRun, VOUCHERS } from "./recorded-run.js";

/** The page of a run, and how it is answered. */
async function open({ url }: ServedApi, runId: string): Promise<[status: number, html: string]> {
  const response = await fetch(`${url}/health/runs/${runId}`, { headers: { accept: "text/html" } });
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  return [response.status, await response.text()];
}

async function read(api: ServedApi, runId: string): Promise<string> {
  const [status, html] = await open(api, runId);
  expect(status).toBe(200);
  return mainTextOf(html);
}

describe("the report of a run that has succeeded", () => {
  let settings: Settings;
  let api: ServedApi;
  let runId: string;
  let text: string;

  beforeAll(async () => {
    ({ settings } = await runOver(times(2, voucher()), "2020-05-27"));
    await putVouchers(settings.zones.raw, VOUCHERS);
    ({ run_id: runId } = await run(settings, "2020-05-29"));
    api = await serve(settings);
    text = await read(api, runId);
  });

  it("has the same text as the report of the run", async () => {
    const [newest] = await readHistory(settings, { runId, limit: 1 });
    if (newest === undefined) throw new Error("no run");
    expect(text).toContain(
      "Run for 29 May 2020 ✓ succeeded The voucher answers for 29 May 2020 are published.",
    );
    const [, said = ""] = /<div class="lead">([^]*)<\/main>/.exec(pageOf(storyOf(toldRunOf(newest)))) ?? [];
    expect((await open(api, runId))[1]).toContain(said);
  });

  it("shows the results of the rows, with shares, and that a row with two reasons counts under both", () => {
    expect(text).toContain(
      "read 12 100% curated: used for the answers 7 58.3% out of scope: not known yet at the execution " +
        "date 1 8.3% rejected: a value is missing or invalid 4 33.3%",
    );
    expect(text).toContain("Rejected rows by reason. A row with two reasons counts twice:");
    expect(text).toContain('total_orders_missing 2 16.7% "" vouchers/part.parquet');
  });

  it("shows rejected rows by reason and country with the value at fault and the file", () => {
    expect(text).toContain('total_orders_missing Chile 2 "" vouchers/part.parquet');
    expect(text).toContain('voucher_amount_invalid Chile 2 "none" vouchers/part.parquet');
    expect(text).toContain('total_orders_invalid Peru 1 "many" vouchers/part.parquet');
    expect(text).toContain("voucher_amount_missing Chile 1 missing vouchers/part.parquet");
  });

  it("lists all audits with their promises", () => {
    expect(text).toMatch(/curated\.vouchers last_order_precedes_voucher passed 0 10% [A-Z][^|]*\./);
    expect(text).toMatch(/All \d\d checks passed/);
  });

  it("has headings in order, a name for each region, no inline styles, and links back to all runs", async () => {
    const [, html] = await open(api, runId);
    expect(html.match(/<h\d/g)?.join("")).toMatch(/^<h1(<h2)+$/);
    for (const [, id] of html.matchAll(/aria-labelledby="([^"]+)"/g))
      expect(html).toContain(`id="${id ?? ""}"`);
    expect(html).not.toContain("style=");
    expect(html).toContain('<a href="/health">All runs</a>');
    expect(html).toContain("<title>Run for 29 May 2020 – vouchers</title>");
  });

  it("takes no POST", async () => {
    const response = await fetch(`${api.url}/health/runs/${runId}`, { method: "POST" });
    expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
  });

  it("shows if its publication was withdrawn", async () => {
    await withdrawPublication(settings, parseExecutionDate("2020-05-29"), "the feed of Peru was cut short");
    expect(await read(api, runId)).toMatch(/Withdrawals .* the feed of Peru was cut short/);
  });
});

describe("the report of a run that has failed", () => {
  it("shows its fault, the failed audit with its promise, and how many rows broke it and may", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await putVouchers(settings.zones.raw, VOUCHERS);
    await run({ ...settings, maxRejectedShare: "0.2" }, "2020-05-30").catch(() => undefined);
    const [failed] = await readHistory(settings, { limit: 1 });
    const api = await serve(settings);
    const text = await read(api, String(failed?.run_id));
    expect(text).toContain(
      "Run for 30 May 2020 ✕ failed The run for 30 May 2020 failed and published nothing",
    );
    expect(text).toMatch(/Failure AUDIT_FAILED: measures\.row_accounting fails the audit/);
    expect(text).toMatch(
      /measures\.row_accounting rejected_share_is_allowed failed 1 none The share of rejected rows is at most MAX_REJECTED_SHARE\./,
    );
    expect(text).toContain("read 12 100%");
  });

  it("because of its rows shows their results, with examples", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher({ timestamp: "2020-05-01 00:00:00 UTC" })));
    await run(settings).catch(() => undefined);
    const [failed] = await readHistory(settings, { limit: 1 });
    const text = await read(await serve(settings), String(failed?.run_id));
    expect(text).toContain("rejected: a value is missing or invalid 3 100%");
    expect(text).toContain('timestamp_invalid Peru 3 "2020-05-01 00:00:00 UTC" vouchers/part.parquet');
  });
});

describe("the report of a run whose record", () => {
  let settings: Settings;
  let api: ServedApi;

  beforeAll(async () => {
    ({ settings } = await runOver(times(2, voucher())));
    api = await serve(settings);
  });

  it.each([
    ["is missing", null, "The number of used rows is unknown."],
    ["is no JSON", "{", "Warnings the record of the run is not readable"],
    ["is empty", "", "Warnings the record of the run is not readable"],
    ["is a list", "[]", "Warnings the record of the run is not readable"],
    [
      "is readable in part",
      '{"audits":7,"warnings":[7],"seconds":"soon"}',
      "Warnings the record of the run has unreadable values in audits, warnings, seconds",
    ],
    [
      "has other dates, and nothing in its measures",
      '{"execution_date":"soon","measures":{"measures.row_accounting":[{}],"measures.rejected_by_reason":[{"rejected":null}]}}',
      "The run for soon finished",
    ],
    [
      "was written by an older version, which counted less",
      '{"measures":{"measures.row_accounting":[{"rows_read":"1200","curated":1100}]}}',
      "Row accounting rows_read curated 1,200 1,100",
    ],
    [
      "has few rejected rows among many",
      '{"measures":{"measures.row_accounting":[{"rows_read":"1000000","curated":999998,"rejected":2,"out_of_scope":0}]}}',
      "is missing or invalid 2 under 0.1%",
    ],
  ])("%s is shown as far as possible", async (_how, record, told) => {
    const runId = await recordRun(settings, { record });
    const text = await read(api, runId);
    expect(text).toContain(told);
    expect(text).toContain(`run ${runId}`);
    expect(text).not.toMatch(/NaN|undefined|Invalid/);
  });

  it("has an invalid date is shown with the key of its partition", async () => {
    const runId = await recordRun(settings, { outcome: "failed", error_code: "BUG" }, "some-day");
    expect(await read(api, runId)).toContain("The run for some-day failed and published nothing");
  });

  it("has markup in it is shown unchanged", async () => {
    const evil = "</pre><script>alert(1)</script>";
    const groups = [
      { reject_reason: evil, country_code: evil, rejected: 1, example: evil, source_file: evil },
    ];
    const record = JSON.stringify({
      warnings: [evil],
      measures: {
        "measures.row_accounting": [{ rows_read: 1, curated: 0, rejected: 1, out_of_scope: 0 }],
        "measures.rejected_by_reason_and_country": groups,
      },
    });
    const runId = await recordRun(settings, {
      outcome: "failed",
      error_code: evil,
      error_message: evil,
      record,
    });
    const [, html] = await open(api, runId);
    expect(html).not.toContain("<script>alert");
    expect(html.split("&lt;script>alert(1)").length).toBeGreaterThan(6);
  });
});

describe("a missing report of a run", () => {
  it("is a page that explains it if there is no such run", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const api = await serve(settings);
    const [status, html] = await open(api, "2020-05-29T000000-000000000000");
    expect(status).toBe(404);
    expect(mainTextOf(html)).toContain("There is no run 2020-05-29T000000-000000000000.");
  });

  it("is a page that explains it if there was no run yet", async () => {
    const api = await serve((await makeWorkspace()).settings);
    expect((await open(api, "2020-05-29T000000-000000000000"))[0]).toBe(404);
  });

  it.each(["a.b", "%00", "%3Cscript%3E", "a".repeat(65), "a%20b", "%FF"])(
    "is refused if %s is not an id",
    async (runId) => {
      const api = await serve((await makeWorkspace()).settings);
      const [status, html] = await open(api, runId);
      expect(status).toBe(400);
      expect(html).not.toContain("<script>");
    },
  );

  it("is available again after the database returns", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const [last] = await readHistory(settings, { limit: 1 });
    const api = await serve(settings);
    await api.store.refresh();
    const file = settings.consumptionUrl.slice("sqlite:".length);
    await rename(file, `${file}.away`);
    await api.store.refresh().catch(() => undefined);
    const [status, html] = await open(api, String(last?.run_id));
    expect(status).toBe(503);
    expect(mainTextOf(html)).toContain(
      "The report of the run is available again when the database is reachable.",
    );
    await rename(`${file}.away`, file);
    await api.store.refresh();
    expect(await read(api, String(last?.run_id))).toContain("Run for 29 May 2020");
  });
});
