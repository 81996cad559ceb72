import { rename } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import { withdrawPublication } from "../../src/run/withdraw.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { serve, type ServedApi } from "../api/serving.js";
import { run } from "../run/running.js";
import { makeWorkspace } from "../workspace.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

const EVERY_PAGE = ["/", "/changes", "/customer", "/campaign", "/health"];

function databaseOf({ consumptionUrl }: Settings): string {
  return consumptionUrl.slice("sqlite:".length);
}

describe("before anything is published", () => {
  let api: ServedApi;

  beforeAll(async () => {
    api = await serve((await makeWorkspace()).settings);
  });

  it.each(EVERY_PAGE.filter((path) => path !== "/health"))(
    "%s explains what will be there, and how to get it",
    async (path) => {
      const { page, complaints } = await open(api.url + path);
      expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Nothing is published yet");
      expect(await page.locator("main").innerText()).toContain("npm run pipeline -- --execution-date");
      await expectAccessible(page);
      expect(complaints).toEqual([]);
    },
  );
});

describe("while the database is away", () => {
  let api: ServedApi;
  let settings: Settings;

  beforeAll(async () => {
    settings = await publishedSample(["2020-05-28", "2020-05-29"]);
    api = await serve(settings);
    await api.store.refresh();
    await rename(databaseOf(settings), `${databaseOf(settings)}.away`);
    await api.store.refresh().catch(() => undefined);
  });

  it.each(EVERY_PAGE)("%s shows that, and the age of the answers", async (path) => {
    const { page, complaints } = await open(api.url + path);
    expect(await page.locator(".notice").first().innerText()).toContain("The database is not reachable.");
    expect(await page.locator(".notice").first().innerText()).toContain(
      "The answers below were last confirmed just now",
    );
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("the answers stay available, with their known counts", async () => {
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: /13,200/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("The other amounts are not known while the database is away.").waitFor();
    expect((await dialog.innerText()).replace(/\s+/g, " ")).toContain(
      "13,200 80 36.4% 4,400 76 34.5% all others 64 29.1%",
    );
    expect(complaints).toEqual([]);
  });

  it("a customer still gets an answer", async () => {
    const query = "country_code=Peru&segment_name=frequent_segment&total_orders=15";
    const { page, complaints } = await open(`${api.url}/customer?${query}`);
    expect(await page.locator(".answer h2").innerText()).toBe("Send 2,640");
    expect(complaints).toEqual([]);
  });
});

describe("a database that has never answered", () => {
  it("is explained in words, not as JSON", async () => {
    const { settings } = await makeWorkspace();
    const api = await serve({ ...settings, consumptionUrl: "mysql://nobody:secret@127.0.0.1:1/none" });
    const { page } = await open(api.url);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("The database is not reachable");
    expect(await page.locator("body").innerText()).not.toContain("secret");
    await expectAccessible(page);
  });
});

describe("a newest run that has failed", () => {
  it("is shown on every page, with the date of the served answers", async () => {
    const settings = await publishedSample(["2020-05-28"]);
    await run({ ...settings, maxRejectedShare: "0.01" }, "2020-05-29").catch(() => undefined);
    const api = await serve(settings);
    for (const path of EVERY_PAGE) {
      const { page, complaints } = await open(api.url + path);
      const notice = await page.locator(".notice.bad").first().innerText();
      expect(notice).toContain("The newest run, for 29 May 2020, failed");
      expect(notice).toContain("Everybody still gets the answers of 28 May 2020.");
      expect(complaints).toEqual([]);
    }
  });
});

describe("answers that are older than they should be", () => {
  it("are marked on every page, after the hours since their execution date", async () => {
    const settings = await publishedSample(["2020-05-28"]);
    const at = (moment: string) => serve(settings, () => new Date(moment));
    const young = await at("2020-05-29T12:00:00Z");
    expect(await (await open(young.url)).page.locator(".notice").count()).toBe(0);
    const old = await at("2020-05-29T12:01:00Z");
    for (const path of EVERY_PAGE) {
      const { page, complaints } = await open(old.url + path);
      expect(await page.locator(".notice.warn").innerText()).toContain(
        "The newest answers are old: they are as of 28 May 2020, 1 day old.",
      );
      await expectAccessible(page);
      expect(complaints).toEqual([]);
    }
    const patient = await serve(
      { ...settings, api: { ...settings.api, oldAfterHours: 192 } },
      () => new Date("2020-06-04T12:00:00Z"),
    );
    expect(await (await open(patient.url)).page.locator(".notice").count()).toBe(0);
  });
});

describe("a withdrawn publication", () => {
  let api: ServedApi;

  beforeAll(async () => {
    const settings = await publishedSample(["2020-05-27", "2020-05-28", "2020-05-29"]);
    for (const date of ["2020-05-27", "2020-05-29"])
      await withdrawPublication(settings, parseExecutionDate(date), "the feed of Peru was cut short");
    api = await serve(settings);
  });

  it.each(EVERY_PAGE)("that was the newest one is marked on %s", async (path) => {
    const { page } = await open(api.url + path);
    const notices = await page.locator(".notice").allInnerTexts();
    expect(notices).toHaveLength(1);
    expect(notices[0]).toMatch(
      /The answers of 29 May 2020 are withdrawn \(.*: the feed of Peru was cut short\)\. Everybody now gets the answers of 28 May 2020\./,
    );
    await expectAccessible(page);
  });

  it("is marked at its address", async () => {
    const { page } = await open(`${api.url}/?execution_date=2020-05-27`);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe(
      "Nothing is published for this date",
    );
    expect((await page.locator(".notice").allInnerTexts()).join()).toContain(
      "The answers of 27 May 2020 are withdrawn",
    );
  });
});

describe("an invalid address", () => {
  let api: ServedApi;

  beforeAll(async () => {
    api = await serve(await publishedSample(["2020-05-29"]));
  });

  it.each([
    [
      "of an answer that is not known",
      "/answer?country_code=Nowhere&segment_name=frequent_segment&segment=0-4",
      404,
    ],
    ["with a date that is none", "/?execution_date=soon", 400],
    ["with a certainty that is none", "/?certainty=quite", 400],
    ["of a date that is not published", "/changes?against=2017-01-01", 404],
    ["of a run that is not known", "/health/runs/2020-05-29T000000-000000000000", 404],
  ])("%s leads to a page that explains it", async (_fault, address, status) => {
    const { page } = await open(api.url + address);
    expect(await page.locator("main").innerText()).toContain("All answers");
    expect((await fetch(api.url + address, { headers: { Accept: "text/html" } })).status).toBe(status);
    await expectAccessible(page);
  });
});

describe("the pages", () => {
  let api: ServedApi;
  let pages: readonly string[];

  beforeAll(async () => {
    const settings = await publishedSample(["2020-05-28", "2020-05-29"]);
    api = await serve(settings);
    const [newest] = await readHistory(settings, { limit: 1 });
    pages = [...EVERY_PAGE, `/health/runs/${String(newest?.run_id)}`];
  });

  it.each([
    ["light", "light", 1280],
    ["dark", "dark", 1280],
    ["as wide as a phone", "dark", 390],
  ] as const)("conform to WCAG AA %s, and fit into the window", async (_name, colorScheme, width) => {
    for (const path of pages) {
      const { page, complaints } = await open(api.url + path, {
        colorScheme,
        viewport: { width, height: 800 },
      });
      await expectAccessible(page);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
    }
  });

  it("do not depend on colours if the user has custom colours", async () => {
    const { page } = await open(api.url, { forcedColors: "active" });
    const border = (word: string) =>
      page
        .locator(`td.${word}`)
        .first()
        .evaluate((cell) => getComputedStyle(cell).border + getComputedStyle(cell).outline);
    expect(new Set(await Promise.all(["sure", "likely", "toss-up"].map(border))).size).toBe(3);
    await expectAccessible(page);
  });

  it("are all reachable by keyboard: past the menu to the content", async () => {
    const { page } = await open(api.url);
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Skip to the content");
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.closest("main") !== null)).toBe(true);
  });
});
