import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Settings } from "../../src/settings/settings.js";
import { serve, type ServedApi } from "../api/serving.js";
import { run } from "../pipeline/running.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let settings: Settings;
let api: ServedApi;

beforeAll(async () => {
  settings = await publishedSample(["2020-05-28", "2020-05-29"]);
  api = await serve(settings);
});

describe("is it healthy?", () => {
  it("says how new the answers are, and which runs there were", async () => {
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: "Is it healthy?" }).click();
    expect(await page.locator(".glance").innerText()).toMatch(
      /Newest answers\n29 May 2020 \(2020-05-29\), of today\n(.|\n)*Database\n✓ answers\n(.|\n)*✓ succeeded/,
    );
    const runs = page.getByRole("region", { name: "The last runs" });
    const cells = runs.getByRole("row", { name: /29 May 2020/ }).getByRole("cell");
    expect((await cells.allInnerTexts()).slice(3)).toEqual(["20,000", "2,110", "17,890", "0"]);
    expect(complaints).toEqual([]);
  });

  it("draws what became of the rows, and says the same in words and numbers", async () => {
    const { page, complaints } = await open(`${api.url}/health`);
    const flow = page.getByRole("img", {
      name: /^20,000 rows read: 17,890 curated \(89.5%\), 2,110 rejected/,
    });
    const [curated, rejected] = await flow
      .locator(".ribbon.kept, .ribbon.lost")
      .evaluateAll((ribbons) => ribbons.map((ribbon) => Number(ribbon.getAttribute("stroke-width"))));
    expect((rejected ?? 0) / (curated ?? 0)).toBeCloseTo(2_110 / 17_890, 2);
    const numbers = page.getByRole("region", { name: "What became of the rows" });
    expect(await numbers.getByRole("row", { name: "total_orders_missing" }).innerText()).toMatch(
      /1,569\s+7\.8%/,
    );
    expect(complaints).toEqual([]);
  });

  it("shows rejected values as they came, and every audit when it is asked for", async () => {
    const { page, complaints } = await open(`${api.url}/health`);
    const rejected = page.getByRole("region", { name: "Rejected rows, by reason and country" });
    expect(await rejected.getByRole("row").count()).toBe(9);
    await page.getByText("Every audit").click();
    const audits = page.getByRole("region", { name: "Every audit" });
    expect(await audits.getByRole("row").count()).toBeGreaterThan(30);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("says in words why the newest run has failed, and that the answers are still given", async () => {
    await run({ ...settings, maxRejectedShare: "0.01" }, "2020-05-30").catch(() => undefined);
    const { page, complaints } = await open(api.url);
    await page.getByRole("link", { name: "See what is wrong" }).click();
    const wrong = page.getByRole("region", { name: "What is wrong" });
    expect(await wrong.innerText()).toMatch(/30 May 2020(.|\n)*AUDIT_FAILED(.|\n)*rejected_share_is_allowed/);
    expect(await wrong.innerText()).toContain(
      "The answers are those of the last publication, as of 29 May 2020",
    );
    expect(await page.getByText("36 of 37 audits passed. This one did not:").count()).toBe(1);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
