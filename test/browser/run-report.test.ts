import { pathToFileURL } from "node:url";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { RunReport } from "../../src/record/run-record.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { makeWorkspace } from "../workspace.js";
import { expectAccessible, open } from "./browser.js";

let report: RunReport;

/** With a country whose name is a program, and something to tell of everything. */
beforeAll(async () => {
  const { settings } = await makeWorkspace();
  const evil = voucher({ country_code: `</style><img src=x onerror="document.title='taken'">` });
  await putVouchers(settings.zones.raw, [...times(3, voucher()), evil, voucher({ total_orders: null })]);
  await run(settings, "2020-05-28");
  await putVouchers(settings.zones.raw, [...times(3, voucher({ voucher_amount: "70" })), evil]);
  report = await run(settings, "2020-05-29");
});

describe("the report of a run in a browser", () => {
  it.each(["light", "dark"] as const)("is accessible, when it is %s", async (colorScheme) => {
    const address = pathToFileURL(report.run_report?.html ?? "").href;
    const { page, complaints } = await open(address, { colorScheme });
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Run for 29 May 2020 ✓ succeeded");
    const changes = page.getByRole("region", { name: "Changed answers" });
    expect(await changes.getByRole("listitem").allInnerTexts()).toEqual([
      "Peru · frequent 5-13: 2640 → 70, likely (84.4%), on 3 vouchers",
      "Peru · recency 30-60: 2640 → 70, likely (84.4%), on 3 vouchers",
    ]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("runs nothing from the data", async () => {
    const { page } = await open(pathToFileURL(report.run_report?.html ?? "").href);
    expect(await page.title()).toBe("Run for 29 May 2020: succeeded");
    expect(await page.locator("img, script").count()).toBe(0);
    expect(await page.getByRole("cell", { name: "<img src=x" }).count()).toBe(2);
  });
});
