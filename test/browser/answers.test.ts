import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { serve, type ServedApi } from "../api/serving.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let api: ServedApi;

beforeAll(async () => {
  api = await serve(await publishedSample());
});

/** The cell of a table, by its heading, country and segment. */
function cell(page: Page, table: string, country: string, segment: string) {
  const region = page.getByRole("region", { name: table, exact: true }).last();
  const row = region
    .getByRole("row")
    .filter({ has: page.getByRole("rowheader", { name: country, exact: true }) });
  return { region, row, segment };
}

describe("the answers", () => {
  it("tell at a glance what is sent, to whom, since when, how sure it is, and what changed", async () => {
    const { page, complaints } = await open(api.url);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Which voucher do we send?");
    const glance = await page.locator(".glance").innerText();
    expect(glance).toContain("29 May 2020 (2020-05-29), of today");
    expect(glance).toContain("40 answers for 4 countries, from 17,890 vouchers");
    expect(glance).toMatch(/\d+ of 40 are weak/);
    expect(glance).toMatch(/2 answers since 28 May 2020/);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
