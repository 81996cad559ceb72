import { rename } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { restorePublication, withdrawPublication } from "../../../../src/run/withdraw.js";
import type { Settings } from "../../../../src/settings/settings.js";
import { parseExecutionDate } from "../../../../src/voucher/execution-date.js";
import { putVouchers, times, voucher } from "../../../raw-vouchers.js";
import { run, runOver } from "../../../run/running.js";
import { makeWorkspace } from "../../../workspace.js";
import { serve, type ServedApi } from "../../serving.js";
import { mainTextOf, recordRun, VOUCHERS } from "./recorded-run.js";

/** What a person reads on the page, without what stands around it. */
async function read(api: ServedApi): Promise<string> {
  return mainTextOf(await htmlOf(api));
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

  it("shows the newest execution date and its age, and that the database answers", () => {
    expect(text).toContain("Newest answers 29 May 2020, 5 days old");
    expect(text).toContain("Database ✓ answers");
    expect(text).toContain("Newest run ✓ succeeded");
  });

  it("shows the time of the publish", async () => {
    expect(await read(await serveNow(settings))).toMatch(/Published just now, \d+ \w+ \d{4}, \d\d:\d\d UTC/);
  });

  it("lists the runs, the latest first, with their durations and numbers of warnings", () => {
    const [, table = ""] = /The last runs (.*)/.exec(text) ?? [];
    expect(table).toMatch(/29 May 2020 ✓ succeeded .*? \d\.\d 0 27 May 2020 ✓ succeeded .*? \d\.\d 0 $/);
  });

  it("links each run to its report", async () => {
    const reports = [...(await htmlOf(api)).matchAll(/<th scope="row"><a href="([^"]+)">/g)].map(
      ([, address]) => address ?? "",
    );
    expect(reports).toEqual([
      expect.stringMatching(/^\/health\/runs\/2020-05-29T000000-[0-9a-f]{12}$/),
      expect.stringMatching(/^\/health\/runs\/2020-05-27T000000-[0-9a-f]{12}$/),
    ]);
    for (const [index, address] of reports.entries())
      expect(await (await fetch(api.url + address)).text()).toContain(
        `<h1>Run for ${["29", "27"][index] ?? ""} May 2020</h1>`,
      );
  });

  it("shows that there were no warnings, and leaves rows, examples and audits to the reports", () => {
    expect(text).toContain("Warnings The run for 29 May 2020 has none.");
    expect(text).not.toMatch(/Curated|total_orders|not_empty/);
  });

  it("is linked by the notice of old answers on every other page", async () => {
    const why = `<a href="/health">See why there are no newer answers</a>`;
    const answers = await fetch(`${api.url}/`, { headers: { accept: "text/html" } });
    expect(await answers.text()).toContain(why);
    expect(await htmlOf(api)).not.toContain(why);
  });

  it("has headings in order, a name for each region, no inline styles, and is last in the menu", async () => {
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

  it("has the same sentences as its report, with its code, times, message lines, and the served answers", async () => {
    const api = await serveNow(settings);
    const text = await read(api);
    expect(text).toMatch(
      /Failure of the newest run The run for 30 May 2020 failed and published nothing\. Customers still get the previous vouchers\. The data failed a check\. Fix the data first; .* Code: AUDIT_FAILED Began: .* Ended: .* Run: 2020-05-30T000000-\w+ /,
    );
    expect(text).toContain("The answers are those of the last publication, as of 29 May 2020, made on");
    const html = await htmlOf(api);
    expect(html).toMatch(
      /<pre><bdi>measures\.row_accounting fails the audit rejected_share_is_allowed\..*\n +rejected +rows_read.*\n +4 +12/,
    );
    expect(html).toMatch(/Run: <a href="\/health\/runs\/(2020-05-30T000000-\w+)">\1<\/a>/);
  });

  it("is above the others", async () => {
    const text = await read(await serveNow(settings));
    expect(text).toMatch(/30 May 2020 ✕ failed AUDIT_FAILED .* 29 May 2020 ✓/);
  });

  it("disappears when the next run succeeds", async () => {
    const { settings: own } = await makeWorkspace();
    await putVouchers(own.zones.raw, [voucher({ total_orders: "many" })]);
    await run(own).catch(() => undefined);
    const api = await serveNow(own);
    expect(await read(api)).toContain("There is no earlier publication to serve instead.");
    await putVouchers(own.zones.raw, [voucher()]);
    await run(own);
    await api.store.refresh();
    expect(await read(api)).not.toContain("Failure of the newest run");
  });
});

describe("a newest run", () => {
  it("that died is shown as killed, without seconds, and without a message", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, undefined);
    const text = await read(await serveNow(settings));
    expect(text).toContain(
      "The run for 1 June 2020 was killed before it finished and published nothing. Customers still get the previous vouchers. " +
        "Its process or machine was killed. Run it again.",
    );
    expect(text).toMatch(/1 June 2020 ✕ was killed just now .* UTC not known not known/);
    expect(text).toContain("as of 29 May 2020");
  });

  it("that was cancelled is shown as cancelled", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { outcome: "cancelled", error_code: "CANCELLED", error_message: "cancelled" });
    expect(await read(await serveNow(settings))).toMatch(
      /The run for 1 June 2020 was cancelled before it finished .* Code: CANCELLED .* cancelled The answers/,
    );
  });

  it("that warns shows the first line of each of its first warnings", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const warnings = ["one\n  of two lines", "two", "three", "four", "five", "six", "seven"];
    await recordRun(settings, { record: JSON.stringify({ warnings, seconds: 1.25 }) });
    const text = await read(await serveNow(settings));
    expect(text).toContain(
      "Warnings The run for 1 June 2020 has 7 warnings. one … two three four five and 2 more",
    );
    expect(text).toMatch(/1 June 2020 ✓ succeeded just now .* UTC 1\.3 7/);
  });

  it.each([
    ["", "the record of the run is not readable"],
    ["{", "the record of the run is not readable"],
    ["[]", "the record of the run is not readable"],
    ['{"audits":7,"warnings":[7]}', "the record of the run has unreadable values in audits, warnings"],
  ])("with the record %j is shown with a warning", async (record, warning) => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { record });
    const text = await read(await serveNow(settings));
    expect(text).toContain(`The run for 1 June 2020 has 1 warning. ${warning}`);
    expect(text).toMatch(/1 June 2020 ✓ succeeded just now .* UTC not known 1/);
  });

  it("without a record is shown as far as possible, with the warnings of the previous run", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { record: null });
    const text = await read(await serveNow(settings));
    expect(text).toMatch(/1 June 2020 ✓ succeeded just now .* UTC not known not known/);
    expect(text).toContain("Warnings The run for 29 May 2020 has none.");
  });

  it("of an invalid date is shown with the key of its partition", async () => {
    const { settings } = await runOver(times(2, voucher()));
    await recordRun(settings, { outcome: "failed", error_code: "BUG", error_message: "m" }, "some-day");
    const text = await read(await serveNow(settings));
    expect(text).toContain("The run for some-day failed and published nothing");
    expect(text).toContain("some-day ✕ failed BUG");
  });

  it("is shown together with the nineteen before it", async () => {
    const { settings } = await runOver(times(2, voucher()));
    for (let day = 1; day <= 25; day += 1)
      await recordRun(settings, {}, `2021-01-${day.toString().padStart(2, "0")}T000000`);
    const text = await read(await serveNow(settings));
    expect(text.match(/✓ succeeded just now/g)).toHaveLength(20);
    expect(text).toContain("25 January 2021");
    expect(text).not.toMatch(/\b5 January 2021/);
  });
});

describe("names from the data", () => {
  const OVERRIDE = "\u202e";

  it("are escaped, and do not turn the words around them", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    await run(settings);
    const warnings = [`<img src=x onerror=alert(1)>${OVERRIDE}`];
    await recordRun(settings, { record: JSON.stringify({ warnings }) }, "2020-06-01T000000");
    const error_message = `</pre><script>alert(2)</script>${OVERRIDE}`;
    await recordRun(settings, { outcome: "failed", error_code: "<i>", error_message }, "2020-06-02T000000");
    const html = await htmlOf(await serveNow(settings));
    expect(html).not.toMatch(/<(?:script>|img|b>|i>)/);
    expect(html).toContain(`<bdi>&lt;img src=x onerror=alert(1)>${OVERRIDE}</bdi>`);
    expect(html).toContain(`<bdi>&lt;/pre>&lt;script>alert(2)&lt;/script>${OVERRIDE}</bdi>`);
  });
});

describe("before anything is published", () => {
  it("a page without a database shows that, and how to get answers", async () => {
    const { settings } = await makeWorkspace();
    const text = await read(await serveNow(settings));
    expect(text).toContain("Newest answers None yet Published Nothing yet");
    expect(text).toContain("Database does not exist yet: the first run creates it Newest run None yet");
    expect(text).toContain("No run is recorded yet.");
    expect(text).toContain("npm run pipeline -- --execution-date 2020-05-29T00:00:00");
  });

  it("a run that has not published yet is shown", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, VOUCHERS);
    await run(settings, "2020-05-29", ["curate"]);
    const text = await read(await serveNow(settings));
    expect(text).toContain("Newest answers None yet Published Nothing yet Database ✓ answers Newest run ✓");
    expect(text).toMatch(/The last runs .* 29 May 2020 ✓ succeeded/);
    expect(text).not.toContain("No run is recorded");
  });
});

describe("while the database is away", () => {
  const GONE = "The run history appears again when the database is reachable.";

  it("the page works, with the answers in memory", async () => {
    const { settings } = await runOver(times(2, voucher()));
    const api = await serve(settings);
    await api.store.refresh();
    const file = settings.consumptionUrl.slice("sqlite:".length);
    await rename(file, `${file}.away`);
    await api.store.refresh().catch(() => undefined);
    const text = await read(api);
    expect(text).toContain("Newest answers 29 May 2020, today");
    expect(text).toContain(
      "Database ✕ not reachable; last successful connection just now Newest run Not known",
    );
    expect(text).toContain(GONE);
    await rename(`${file}.away`, file);
    await api.store.refresh();
    expect(await read(api)).toContain("Database ✓ answers");
  });

  it("the page works if the database has never answered, and keeps the secrets of its address", async () => {
    const { settings } = await makeWorkspace();
    const api = await serve({ ...settings, consumptionUrl: "mysql://nobody:secret@127.0.0.1:1/none" });
    const text = await read(api);
    expect(text).toContain("Newest answers None yet Published Nothing yet");
    expect(text).toContain("Database ✕ not reachable; no successful connection yet");
    expect(text).toContain(GONE);
    expect(await htmlOf(api)).not.toContain("secret");
  });
});

it("the page shows each open withdrawal, with its author and reason", async () => {
  const { settings } = await runOver([voucher()], "2020-05-28");
  await run(settings, "2020-05-29");
  const date = parseExecutionDate("2020-05-29");
  await withdrawPublication(settings, date, "the feed of Peru was cut short");
  expect(await read(await serveNow(settings))).toMatch(
    /Newest answers 28 May 2020, .* Withdrawn The answers of 29 May 2020 were withdrawn just now by \S.* process \d+: the feed of Peru was cut short/,
  );
  await restorePublication(settings, date);
  expect(await read(await serveNow(settings))).not.toContain("Withdrawn");
});
