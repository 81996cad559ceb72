import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { serve, type ServedApi } from "../api/serving.js";
import { run } from "../run/running.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let settings: Settings;
let api: ServedApi;

beforeAll(async () => {
  settings = await publishedSample(["2020-05-28", "2020-05-29"]);
  api = await serve(settings);
});

describe("the page of health", () => {
  it("shows the age of the answers, and the last runs", async () => {
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: "Is it healthy?" }).click();
    expect(await page.locator(".glance").innerText()).toMatch(
      /Newest answers\n29 May 2020, today\n(.|\n)*Database\n✓ answers\n(.|\n)*✓ succeeded/,
    );
    const runs = page.getByRole("region", { name: "The last runs" });
    const cells = runs.getByRole("row", { name: /29 May 2020/ }).getByRole("cell");
    expect((await cells.allInnerTexts()).slice(2)).toEqual([expect.stringMatching(/^\d+\.\d$/), "0"]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("links to the report of a run, with the results of its rows, and every audit", async () => {
    const { page, complaints } = await open(`${api.url}/health`);
    const runs = page.getByRole("region", { name: "The last runs" });
    await runs.getByRole("link", { name: "29 May 2020" }).click();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Run for 29 May 2020");
    const rows = page.getByRole("region", { name: "Row counts" });
    const [counts, reasons, groups] = await rows.getByRole("table").all();
    expect(await counts?.getByRole("row", { name: "curated" }).innerText()).toMatch(/17,890\s+89\.5%/);
    expect(await reasons?.getByRole("row", { name: "total_orders_missing" }).innerText()).toMatch(
      /1,569\s+7\.8%/,
    );
    expect(await groups?.getByRole("row").count()).toBe(9);
    const audits = page.getByRole("region", { name: "Checks" });
    expect(await audits.getByRole("row").count()).toBeGreaterThan(30);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("explains the failure of the newest run, and that the answers stay available", async () => {
    await run({ ...settings, maxRejectedShare: "0.01" }, "2020-05-30").catch(() => undefined);
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: "See the failure" }).click();
    const wrong = page.getByRole("region", { name: "Failure of the newest run" });
    expect(await wrong.innerText()).toMatch(/30 May 2020(.|\n)*AUDIT_FAILED(.|\n)*rejected_share_is_allowed/);
    expect(await wrong.innerText()).toContain(
      "The answers are those of the last publication, as of 29 May 2020",
    );
    expect(await wrong.innerText()).toContain("The data failed a check. Fix the data first");
    await expectAccessible(page);
    await wrong.getByRole("link").click();
    expect(await page.getByRole("cell", { name: "rejected_share_is_allowed" }).count()).toBe(1);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
