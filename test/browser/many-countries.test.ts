import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { serve, type ServedApi } from "../api/serving.js";
import { expectAccessible, open } from "./browser.js";
import { publishedCountries } from "./many-countries.js";

const PHONE = { viewport: { width: 390, height: 844 } };
const DESKTOP = { viewport: { width: 1440, height: 900 } };

let api: ServedApi;

beforeAll(async () => {
  api = await serve(await publishedCountries(250));
});

/** The number that a text begins with. */
function numberIn(text: string | null): number {
  return Number(/[\d,]+/.exec(text ?? "")?.[0].replaceAll(",", ""));
}

function topOf(page: Page, selector: string): Promise<number> {
  return page
    .locator(selector)
    .first()
    .evaluate((element) => element.getBoundingClientRect().top);
}

describe("the answers for 250 countries", () => {
  it("have pages that show their number, and the number of answers", async () => {
    const { page, complaints } = await open(api.url, DESKTOP);
    const all = numberIn(await page.getByRole("link", { name: / answers$/ }).textContent());
    let seen = 0;
    for (let number = 1; number <= 5; number += 1) {
      const found = await page.locator(".found").innerText();
      const onPage = await page.locator("td a").count();
      expect(found).toContain(`${all.toLocaleString("en")} answers in 249 countries, `);
      expect(found).toContain(`, ${onPage.toString()} of them on page ${number.toString()} of 5.`);
      expect(await page.locator(".about").first().innerText()).toContain(
        `Countries ${((number - 1) * 50 + 1).toString()} to ${(number * 50).toString()} of 250.`,
      );
      seen += onPage;
      if (number === 1) await expectAccessible(page);
      if (number < 5) await page.getByRole("link", { name: "More countries" }).click();
    }
    expect(seen).toBe(all);
    expect(complaints).toEqual([]);
  });

  it("show as many of each kind as the count on the link to them", async () => {
    const { page } = await open(api.url, DESKTOP);
    const counts = await page
      .locator(".counts a")
      .evaluateAll((links) => links.map(({ textContent }) => textContent));
    for (const [index, name] of ["sure", "likely", "toss-up", "changed"].entries()) {
      await page.goto(`${api.url}/?${name === "changed" ? "changed=yes" : `certainty=${name}`}`);
      let seen = 0;
      for (;;) {
        seen += await page.locator(`td.${name}:not(.aside)`).count();
        const more = page.getByRole("link", { name: "More countries" });
        if ((await more.count()) === 0) break;
        await more.click();
      }
      expect(seen).toBe(numberIn(counts[index + 1] ?? ""));
    }
  });

  it("can be sorted by change, the change with the most vouchers first", async () => {
    const { page } = await open(`${api.url}/?sort=change`, DESKTOP);
    const rows = page.locator("section").first().locator("tbody tr");
    const changed = await rows.evaluateAll((all) => all.map((row) => row.querySelector(".changed") !== null));
    expect(changed[0]).toBe(true);
    expect(changed.lastIndexOf(true)).toBe(changed.indexOf(false) - 1);
  });

  it.each([
    ["a desktop", DESKTOP],
    ["a phone", PHONE],
  ])("keep their headings visible on %s, and headings never hide the focus", async (_name, options) => {
    const { page } = await open(api.url, options);
    const cells = page.locator("section").first().locator("tbody tr td:last-child a");
    await cells.nth(40).focus();
    const focused = await cells.nth(40).boundingBox();
    const column = page.locator("thead").first().getByRole("columnheader");
    const [head, corner] = [await column.last().boundingBox(), await column.first().boundingBox()];
    const name = await page.locator("section").first().locator("tbody th").nth(40).boundingBox();
    expect(head?.y).toBeGreaterThanOrEqual(-1);
    expect(head?.x).toBeCloseTo(focused?.x ?? 0, 0);
    expect(name?.x).toBeCloseTo(corner?.x ?? -1, 0);
    expect(name?.x).toBeGreaterThanOrEqual(0);
    for (let back = 0; back < 60; back += 1) await page.keyboard.press("Shift+Tab");
    const { active, bottom } = await page.evaluate(() => ({
      active: document.activeElement?.getBoundingClientRect().top ?? 0,
      bottom: document.querySelector("thead th")?.getBoundingClientRect().bottom ?? 0,
    }));
    expect(active).toBeGreaterThanOrEqual(bottom - 1);
  });

  it("have the first amount on the first screen of a phone, and no heading breaks within a word", async () => {
    for (const path of [
      "/",
      "/?certainty=toss-up",
      "/changes?execution_date=2020-05-28",
      "/answer?country_code=Zambia&segment_name=recency_segment&segment=120-180",
    ]) {
      const { page } = await open(api.url + path, PHONE);
      const broken = await page.locator("th, h1, h2, caption").evaluateAll((headings) =>
        headings.flatMap((heading) => {
          const texts = document.createTreeWalker(heading, NodeFilter.SHOW_TEXT);
          const broken: string[] = [];
          // A name of a country may break after a hyphen, a segment may not.
          const words = heading.closest("thead") === null ? /[^\s-]+/g : /\S+/g;
          while (texts.nextNode() !== null) {
            const text = texts.currentNode;
            for (const { 0: word, index } of (text.textContent ?? "").matchAll(words)) {
              const range = document.createRange();
              range.setStart(text, index);
              range.setEnd(text, index + word.length);
              if (new Set([...range.getClientRects()].map(({ top }) => top)).size > 1) broken.push(word);
            }
          }
          return broken;
        }),
      );
      expect(broken).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
      if (path.startsWith("/?") || path === "/")
        expect(await topOf(page, "td strong")).toBeLessThan(844 - 20);
    }
  });

  it("can be filtered, paged and opened only by keyboard", async () => {
    const { page } = await open(api.url, DESKTOP);
    const tabTo = async (name: RegExp) => {
      for (let presses = 0; presses < 600; presses += 1) {
        await page.keyboard.press("Tab");
        if (name.test(await page.evaluate(() => document.activeElement?.textContent ?? ""))) return;
      }
      throw new Error(`no tab leads to ${String(name)}`);
    };
    await tabTo(/toss-ups/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/certainty=toss-up/);
    await tabTo(/^More countries/);
    await page.keyboard.press("Enter");
    await page.waitForURL(/page=2/);
    await tabTo(/^[\d,]+ toss-up, on/);
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("Margin").waitFor();
    await page.keyboard.press("Escape");
    await page.waitForURL(/certainty=toss-up.*page=2|page=2.*certainty=toss-up/);
  });

  it("can be downloaded as CSV, with the same selection, from every page", async () => {
    const { page } = await open(`${api.url}/?certainty=toss-up&sort=certainty`, DESKTOP);
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download as CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toBe("answers-2020-05-29.csv");
    const address = await page.getByRole("link", { name: "Download as CSV" }).getAttribute("href");
    const lines = (await (await fetch(api.url + String(address))).text()).trim().split("\n");
    expect(lines).toHaveLength(1 + numberIn(await page.locator(".found").innerText()));
    const shown = await page.locator("section").first().getByRole("rowheader").allInnerTexts();
    expect(lines[1]).toContain(shown[0]);
  });
});
