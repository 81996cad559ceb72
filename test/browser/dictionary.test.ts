import { beforeAll, describe, expect, it } from "@jest/globals";
import { serve, type ServedApi } from "../api/serving.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let api: ServedApi;

beforeAll(async () => {
  api = await serve(await publishedSample(["2020-05-29"]));
});

describe("the data dictionary", () => {
  it("links from the picture to a table, and from there to its sources", async () => {
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: "the data dictionary" }).click();
    const picture = page.getByRole("region", { name: /^Data flow:/ });
    await picture.getByRole("link", { name: "voucher_frequent_most_used" }).click();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe(
      "provision.voucher_frequent_most_used",
    );
    await page.locator(".facts").getByRole("link", { name: "provision.voucher_amount_usage" }).click();
    expect(await page.locator("pre").innerText()).toContain("WITH counted AS");
    expect(complaints).toEqual([]);
  });

  it.each([
    ["light", "light", 1280],
    ["dark", "dark", 1280],
    ["as wide as a phone", "light", 390],
  ] as const)("conforms to WCAG AA %s, and fits into the window", async (_name, colorScheme, width) => {
    for (const file of ["", "provision.voucher_amount_usage.html", "raw.vouchers.html"]) {
      const { page, complaints } = await open(`${api.url}/docs/data/${file}`, {
        colorScheme,
        viewport: { width, height: 800 },
      });
      await expectAccessible(page);
      expect(await page.evaluate("document.documentElement.scrollWidth")).toBeLessThanOrEqual(width);
      expect(complaints).toEqual([]);
    }
  });

  it("has readable letters in the picture, at every width of the window", async () => {
    const { page } = await open(`${api.url}/docs/data/`, { viewport: { width: 390, height: 800 } });
    const heights = await page
      .locator(".graph text:not(.layer)")
      .evaluateAll((texts) => texts.map((text) => text.getBoundingClientRect().height));
    expect(heights.length).toBeGreaterThan(10);
    for (const height of heights) expect(height).toBeGreaterThanOrEqual(12);
  });
});
