import { rename } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { openConsumption } from "../../../../src/consumption/open-consumption.js";
import { recordEnd, recordStart, type RunEnd } from "../../../../src/consumption/recorded-runs.js";
import { restorePublication, withdrawPublication } from "../../../../src/run/withdraw.js";
import type { Settings } from "../../../../src/settings/settings.js";
import { parseExecutionDate } from "../../../../src/voucher/execution-date.js";
import { run, runOver } from "../../../pipeline/running.js";
import { putVouchers, times, voucher } from "../../../raw-vouchers.js";
import { makeWorkspace } from "../../../workspace.js";
import { serve, type ServedApi } from "../../serving.js";

const BLOCKS =
  /<\/?(?:h\d|p|dl|dt|dd|div|table|tr|th|td|ul|li|pre|section|summary|details|svg|text)\b[^>]*>/g;

/** What a person reads on the page, without what stands around it. */
async function read(api: ServedApi): Promise<string> {
  const main = /<main[^]*<\/main>/.exec(await htmlOf(api))?.[0] ?? "";
  const text = main.replaceAll(BLOCKS, " ").replaceAll(/<[^>]*>/g, "");
  return text.replaceAll("&lt;", "<").replaceAll("&amp;", "&").replaceAll(/\s+/g, " ");
}

async function htmlOf({ url }: ServedApi): Promise<string> {
  const response = await fetch(`${url}/health`, { headers: { accept: "text/html" } });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/html/);
  return response.text();
}

/** Serves at the moment itself: what is told of runs is how long ago they were. */
function serveNow(settings: Settings): Promise<ServedApi> {
  return serve(settings, () => new Date());
}

/** Puts a run into the history that left what a test says. */
async function recordRun(
  { consumptionUrl }: Settings,
  end: Partial<RunEnd> | undefined,
  executionDate = "2020-06-01T000000",
): Promise<void> {
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
}

/** 12 rows: 4 rejected, two of them for two reasons, and one that was not known yet. */
const VOUCHERS = [
  ...times(7, voucher()),
  voucher({ timestamp: "2021-01-01 00:00:00" }),
  voucher({ total_orders: "many" }),
  voucher({ country_code: "Chile", voucher_amount: null }),
  ...times(2, voucher({ country_code: "Chile", total_orders: "", voucher_amount: "none" })),
];

describe("the page of a healthy pipeline", () => {
  let api: ServedApi;
  let settings: Settings;
  let text: string;

  beforeAll(async () => {
    ({ settings } = await runOver(times(2, voucher()), "2020-05-27"));
    await putVouchers(settings.zones.raw, VOUCHERS);
    await run(settings, "2020-05-29");
    api = await serve(settings, () => new Date("2020-06-03T12:00:00Z"));
    text = await read(api);
  });

  it("says the newest execution date and its age, and that the database answers", () => {
    expect(text).toContain("Newest answers 29 May 2020 (2020-05-29), 5 days old");
    expect(text).toContain("Database ✓ answers");
    expect(text).toContain("Newest run ✓ succeeded");
  });

  it("says when it was published", async () => {
    expect(await read(await serveNow(settings))).toMatch(
      /Published just now, \d+ \w+ \d{4}, \d\d:\d\d UTC \(\d{4}-[^)]+Z\)/,
    );
  });

  it("lists the runs, the latest first, with their rows and warnings", () => {
    const [, table = ""] = /The last runs (.*?) What became/.exec(text) ?? [];
    expect(table).toMatch(
      /29 May 2020 \(2020-05-29\) ✓ succeeded .*? \d\.\d 12 4 7 0 27 May 2020 \(2020-05-27\) ✓ succeeded .*? \d\.\d 2 0 2 0/,
    );
  });

  it("tells what became of the rows, as a picture that is told in words, and in numbers with shares", async () => {
    expect(await htmlOf(api)).toContain(
      'aria-label="12 rows read: 7 curated (58.3%), 1 out of scope (8.3%), 4 rejected (33.3%), of which ' +
        '2 total_orders_missing and 2 voucher_amount_invalid and 1 total_orders_invalid and 1 voucher_amount_missing"',
    );
    expect(text).toContain(
      "Read 12 100% Curated: the answers rest on them 7 58.3% Out of scope: not known yet at the execution " +
        "date 1 8.3% Rejected: a value is missing or invalid 4 33.3% total_orders_missing 2 16.7%",
    );
  });

  it("says of rows with two reasons that they count under both, where there are any", async () => {
    const note = "A row with two reasons counts under both: together they are 6, more than the 4";
    expect(text).toContain(note);
    const { settings: other } = await runOver([...times(3, voucher()), voucher({ total_orders: "many" })]);
    const others = await read(await serveNow(other));
    expect(others).toContain("total_orders_invalid 1 25%");
    expect(others).not.toContain("A row with two reasons");
  });

  it("shows rejected rows with the value at fault and the file", () => {
    expect(text).toContain("total_orders_missing Chile 2 blank vouchers/part.parquet");
    expect(text).toContain("voucher_amount_invalid Chile 2 none vouchers/part.parquet");
    expect(text).toContain("total_orders_invalid Peru 1 many vouchers/part.parquet");
    expect(text).toContain("voucher_amount_missing Chile 1 missing vouchers/part.parquet");
  });

  it("says how many audits passed, and lists them all", () => {
    expect(text).toMatch(/All \d\d audits passed\. Every audit/);
    expect(text).toMatch(/last_order_precedes_voucher of curated\.vouchers ✓ passed [^✓]* 0 10%/);
    expect(text).toContain("Warnings There were none.");
  });

  it("has headings in order, a name for each region, no styles of its own, and is last in the menu", async () => {
    const html = await htmlOf(api);
    expect(html.match(/<h\d/g)?.join("")).toMatch(/^<h1(<h2)+$/);
    const labels = [...html.matchAll(/aria-labelledby="([^"]+)"/g)];
    expect(labels).not.toEqual([]);
    for (const [, id] of labels) expect(html).toContain(`id="${id ?? ""}"`);
    expect(html).not.toContain("style=");
    expect(html).toMatch(/<a href="\/health" aria-current="page">Is it healthy\?<\/a><\/li><\/ul>/);
  });
});

describe("a newest run that has failed", () => {
  let settings: Settings;

  beforeAll(async () => {
    ({ settings } = await runOver(times(2, voucher())));
    await putVouchers(settings.zones.raw, VOUCHERS);
    await run({ ...settings, maxRejectedShare: "0.2" }, "2020-05-30").catch(() => undefined);
  });

  it("is told with its code, when it was, its message line by line, and whose answers are given", async () => {
    const api = await serveNow(settings);
    const text = await read(api);
    expect(text).toMatch(
      /What is wrong The run 2020-05-30T000000-\w+ for 30 May 2020 \(2020-05-30\) \(curate, aggregate, publish\) began on .* and failed on .* with AUDIT_FAILED\./,
    );
    expect(text).toContain(
      "The answers are those of the last publication, as of 29 May 2020 (2020-05-29), made on",
    );
    expect(await htmlOf(api)).toMatch(
      /<pre><bdi>measures\.row_accounting breaks the audit rejected_share_is_allowed\..*\n +rejected +rows_read.*\n +4 +12/,
    );
  });

  it("stands above the others, with what became of the rows that it had read", async () => {
    const text = await read(await serveNow(settings));
    expect(text).toMatch(/30 May 2020 \(2020-05-30\) ✕ failed AUDIT_FAILED .* 29 May 2020 \(2020-05-29\) ✓/);
    expect(text).toMatch(
      /What became of the rows Of the run for 30 May 2020 \(2020-05-30\), begun just now\. 12 rows read/,
    );
  });

  it("shows which audits failed, with their promise, and how many rows broke it and may", async () => {
    const text = await read(await serveNow(settings));
    expect(text).toMatch(
      /Audits (\d\d) of \d\d audits passed\. This one did not: .* rejected_share_is_allowed of measures\.row_accounting ✕ failed No larger share .* is allowed\. 1 none Every audit/,
    );
  });

  it("is forgotten when the next one succeeds", async () => {
    const { settings: own } = await makeWorkspace();
    await putVouchers(own.zones.raw, [voucher({ total_orders: "many" })]);
    await run(own).catch(() => undefined);
    const api = await serveNow(own);
    expect(await read(api)).toContain("There is no publication before it whose answers could be given.");
    await putVouchers(own.zones.raw, [voucher()]);
    await run(own);
    await api.store.refresh();
    expect(await read(api)).not.toContain("What is wrong");
  });
});

describe("a newest run", () => {
  it("that died is told as killed, without seconds, and that it left no word", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, undefined);
    const text = await read(await serveNow(settings));
    expect(text).toContain("was killed. Its process ended, or its machine, before it could say why.");
    expect(text).toMatch(/1 June 2020 \(2020-06-01\) ✕ was killed just now .*Z\) not known not known/);
    expect(text).toContain("as of 29 May 2020 (2020-05-29)");
  });

  it("that was cancelled is told as that", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { outcome: "cancelled", error_code: "CANCELLED", error_message: "cancelled" });
    expect(await read(await serveNow(settings))).toMatch(/was cancelled on .* with CANCELLED\. cancelled/);
  });

  it("that warns has its warnings listed line by line", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { record: JSON.stringify({ warnings: ["one\n  of two lines", "another"] }) });
    const api = await serveNow(settings);
    expect(await htmlOf(api)).toContain(
      "<li><pre><bdi>one\n  of two lines</bdi></pre></li><li><bdi>another</bdi></li>",
    );
    expect(await read(api)).toContain("Warnings Of the run for 1 June 2020");
  });

  it.each([null, "", "{", "[]", '{"measures":{"measures.row_accounting":[{}]},"audits":7,"warnings":[7]}'])(
    "with the record %j is told as far as it is known",
    async (record) => {
      const { settings } = await runOver(times(2, voucher()));
      await recordRun(settings, { record });
      const text = await read(await serveNow(settings));
      expect(text).toMatch(/1 June 2020 \(2020-06-01\) ✓ succeeded just now .*Z\) not known not known/);
      expect(text).toMatch(/What became of the rows Of the run for 29 May 2020/);
    },
  );

  it("of an older version that counted less is told with what it counted", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const measures = { "measures.row_accounting": [{ rows_read: "1200", curated: 1_100 }] };
    await recordRun(settings, { record: JSON.stringify({ measures }) });
    const api = await serveNow(settings);
    expect(await htmlOf(api)).toContain('aria-label="1,200 rows read: 1,100 curated (91.7%)"');
    expect(await read(api)).toMatch(/Read 1,200 100% Curated: the answers rest on them 1,100 91\.7% /);
  });

  it("that failed because of its rows says what became of them, with examples", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher({ timestamp: "2020-05-01 00:00:00 UTC" })));
    await run(settings).catch(() => undefined);
    const text = await read(await serveNow(settings));
    expect(text).toContain("3 rows read: 3 rejected, 0 out of scope, 0 curated");
    expect(text).toContain("timestamp_invalid 3 &quot;2020-05-01 00:00:00 UTC&quot; vouchers/part.parquet");
  });

  it("of many rows does not tell a few of them as none", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const measures = { "measures.row_accounting": [{ rows_read: "1000000", curated: 999_998, rejected: 2 }] };
    await recordRun(settings, { record: JSON.stringify({ measures }) });
    expect(await read(await serveNow(settings))).toContain("is missing or invalid 2 under 0.1%");
  });

  it("that read nothing has no picture", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const measures = { "measures.row_accounting": [{ rows_read: "0", curated: 0, rejected: 0 }] };
    await recordRun(settings, { record: JSON.stringify({ measures }) });
    expect(await htmlOf(await serveNow(settings))).not.toContain('class="flow"');
  });

  it("is shown beside the nineteen before it", async () => {
    const { settings } = await runOver(times(2, voucher()));
    for (let day = 1; day <= 25; day += 1)
      await recordRun(settings, {}, `2021-01-${day.toString().padStart(2, "0")}T000000`);
    const text = await read(await serveNow(settings));
    expect(text.match(/✓ succeeded just now/g)).toHaveLength(20);
    expect(text).toContain("25 January 2021");
    expect(text).not.toContain("5 January 2021 (2021-01-05)");
  });
});

describe("names that came with the data", () => {
  const OVERRIDE = "\u202e";

  it("are escaped, and turn no words around them", async () => {
    const { settings } = await makeWorkspace();
    const country_code = `<script>alert(1)</script>${OVERRIDE}`;
    const vouchers = [
      ...times(3, voucher()),
      voucher({ country_code, total_orders: `<img src=x onerror=alert(1)>${OVERRIDE}` }),
    ];
    await putVouchers(settings.zones.raw, vouchers, `vouchers/<b>${OVERRIDE}.parquet`);
    await run(settings);
    const error_message = `</pre><script>alert(2)</script>${OVERRIDE}`;
    await recordRun(settings, { outcome: "failed", error_code: "<i>", error_message });
    const html = await htmlOf(await serveNow(settings));
    expect(html).not.toMatch(/<(?:script>|img|b>|i>)/);
    expect(html).toContain(`<bdi>&lt;script>alert(1)&lt;/script>${OVERRIDE}</bdi>`);
    expect(html).toContain(`<bdi>&lt;img src=x onerror=alert(1)>${OVERRIDE}</bdi>`);
    expect(html).toContain(`<bdi>vouchers/&lt;b>${OVERRIDE}.parquet</bdi>`);
    expect(html).toContain(`<bdi>&lt;/pre>&lt;script>alert(2)&lt;/script>${OVERRIDE}</bdi>`);
  });
});

describe("before anything is published", () => {
  it("without a database it says so, and how the answers come", async () => {
    const { settings } = await makeWorkspace();
    const text = await read(await serveNow(settings));
    expect(text).toContain("Newest answers None yet Published Nothing yet");
    expect(text).toContain("Database Is not there yet: the first run makes it Newest run None yet");
    expect(text).toContain("No run is recorded yet.");
    expect(text).toContain("npm run pipeline -- --execution-date 2020-05-29T00:00:00");
  });

  it("a run that has not published yet is told", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, VOUCHERS);
    await run(settings, "2020-05-29", ["curate"]);
    const text = await read(await serveNow(settings));
    expect(text).toContain("Newest answers None yet Published Nothing yet Database ✓ answers Newest run ✓");
    expect(text).toContain("Read 12 100%");
    expect(text).not.toContain("No run is recorded");
  });
});

describe("while the database is away", () => {
  const GONE = "Which runs there were, and what became of their rows, is told again when it answers.";

  it("the page is there, with the answers that are held", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const api = await serve(settings);
    await api.store.refresh();
    const file = settings.consumptionUrl.slice("sqlite:".length);
    await rename(file, `${file}.away`);
    await api.store.refresh().catch(() => undefined);
    const text = await read(api);
    expect(text).toContain("Newest answers 29 May 2020 (2020-05-29), of today");
    expect(text).toContain("Database ✕ does not answer; the last time: just now Newest run Not known");
    expect(text).toContain(GONE);
    await rename(`${file}.away`, file);
    await api.store.refresh();
    expect(await read(api)).toContain("Database ✓ answers");
  });

  it("the page is there where it has never answered, and keeps the secrets of its address", async () => {
    const { settings } = await makeWorkspace();
    const api = await serve({ ...settings, consumptionUrl: "mysql://nobody:secret@127.0.0.1:1/none" });
    const text = await read(api);
    expect(text).toContain("Newest answers None yet Published Nothing yet");
    expect(text).toContain("Database ✕ does not answer; the last time: it has not answered yet");
    expect(text).toContain(GONE);
    expect(await htmlOf(api)).not.toContain("secret");
  });
});

it("the page tells what was withdrawn, by whom and why, as long as that holds", async () => {
  const { settings } = await runOver([voucher()], "2020-05-28");
  await run(settings, "2020-05-29");
  const date = parseExecutionDate("2020-05-29");
  await withdrawPublication(settings, date, "the feed of Peru was cut short");
  expect(await read(await serveNow(settings))).toMatch(
    /Newest answers 28 May 2020 .* Withdrawn The publication as of 29 May 2020 \(2020-05-29\) was taken back just now by \S.* process \d+: the feed of Peru was cut short/,
  );
  await restorePublication(settings, date);
  expect(await read(await serveNow(settings))).not.toContain("Withdrawn");
});
