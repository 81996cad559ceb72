import { beforeAll, describe, expect, it } from "@jest/globals";
import { serve, type ServedApi } from "../api/serving.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let api: ServedApi;

beforeAll(async () => {
  api = await serve(await publishedSample());
});

describe("the answers", () => {
  it("tell at a glance what is sent, to whom, since when, how sure it is, and what changed", async () => {
    const { page, complaints } = await open(api.url);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Which voucher do we send?");
    const glance = await page.locator(".glance").innerText();
    expect(glance).toContain("29 May 2020 (2020-05-29), of today");
    expect(glance).toContain("40 answers for 4 countries, from 17,890 vouchers");
    expect(glance).toMatch(/\n8 of 40 are weak\n/);
    expect(glance).toMatch(/\n2 answers since 28 May 2020/);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("stand in a table of countries by segments, for orders and for days since the last order", async () => {
    const { page } = await open(api.url);
    const byOrders = page.getByRole("region", { name: "By number of orders" });
    expect(await byOrders.getByRole("columnheader").allInnerTexts()).toEqual([
      "Country",
      "0-4\nup to 4",
      "5-13\nabove 4, up to 13",
      "13-37\nabove 13, up to 37",
      "37+\nabove 37",
    ]);
    expect(await byOrders.getByRole("row", { name: "Peru" }).innerText()).toMatch(
      /^Peru(\s+2,640 \d+(\.\d)?%){4}$/,
    );
    const byDays = page.getByRole("region", { name: "By days since the last order" });
    expect(await byDays.getByRole("row").count()).toBe(5);
    expect(await byDays.getByRole("row", { name: "Peru" }).getByText("2,640").count()).toBe(6);
  });

  it("have colours that go with the amount, and the weak ones are marked by words", async () => {
    const { page } = await open(api.url);
    const ground = (country: string) =>
      page
        .getByRole("row", { name: country })
        .first()
        .getByRole("cell")
        .first()
        .evaluate((cell) => getComputedStyle(cell).backgroundColor);
    const grounds = await Promise.all(["Australia", "China", "Latvia", "Peru"].map(ground));
    expect(new Set(grounds).size).toBe(4);
    expect(await page.getByRole("link", { name: /2,200 35.2% thin margin/ }).count()).toBe(1);
  });

  it("of an earlier publication can be chosen", async () => {
    const { page, complaints } = await open(api.url);
    await page.getByLabel("Answers of").selectOption("28 May 2020 (2020-05-28)");
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.locator(".glance").innerText()).toContain("28 May 2020 (2020-05-28), 1 day old");
    expect(complaints).toEqual([]);
  });
});

describe("a cell", () => {
  it("opens to show the amounts as bars, the share, the runner-up, the margin and how it went", async () => {
    const { page, complaints } = await open(api.url);
    const link = page.getByRole("link", { name: /13,200/ });
    await link.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("Thin margin.").waitFor();
    const text = await dialog.innerText();
    expect(text).toContain("Share\n36.4%, 80 of 220 vouchers");
    expect(text).toContain("Runner-up\n4,400, on 76 vouchers");
    expect(text).toContain("Margin\n4 vouchers, 1.8%");
    const bars = dialog.getByRole("table", { name: "How often each amount was used here" });
    expect((await bars.innerText()).replace(/\s+/g, " ")).toContain(
      "13,200 80 36.4% 4,400 76 34.5% 8,800 37 16.8%",
    );
    const [longest, next] = await bars
      .locator("rect")
      .evaluateAll((rects) => rects.map((rect) => rect.getBoundingClientRect().width));
    expect((next ?? 0) / (longest ?? 0)).toBeCloseTo(76 / 80, 2);
    expect(await dialog.getByRole("img").getAttribute("aria-label")).toMatch(
      /^4,400 from 1 June 2019, .*13,200 from/,
    );
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("opens and closes by keyboard, and the focus goes back to it", async () => {
    const { page } = await open(api.url);
    await page.getByRole("link", { name: /13,200/ }).focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").getByText("Thin margin.").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("13,200");
  });

  it("opens as a page of its own without JavaScript", async () => {
    const { page } = await open(api.url, { javaScriptEnabled: false });
    await page.getByRole("link", { name: /13,200/ }).click();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Latvia, 90-120 days: 13,200");
    expect(await page.getByRole("row", { name: "8,800" }).innerText()).toContain("16.8%");
  });

  it("says where it can be opened when it cannot be loaded", async () => {
    const { page } = await open(api.url);
    await page.route("**/answer?*", (route) => route.abort());
    await page.getByRole("link", { name: /13,200/ }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByRole("link", { name: "Open it as a page" }).getAttribute("href")).toContain(
      "/answer?",
    );
  });
});

describe("what changed", () => {
  it("is told in words, each change with the vouchers it rests on", async () => {
    const { page, complaints } = await open(`${api.url}/changes`);
    expect(await page.locator(".lead").innerText()).toBe(
      "2 answers changed between 28 May 2020 (2020-05-28) and 29 May 2020 (2020-05-29).",
    );
    const changes = await page.locator(".changes li").allInnerTexts();
    expect(changes).toHaveLength(2);
    expect(changes[0]).toMatch(/^\S+ · \S+ (?:days|orders): [\d,]+ →\s+became\s+[\d,]+, on [\d,]+ vouchers$/);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("is shown cell by cell, each with the way it has gone", async () => {
    const { page } = await open(`${api.url}/changes`);
    expect(await page.locator("td.changed").count()).toBe(2);
    expect(await page.locator("td.unchanged").count()).toBe(38);
    expect(await page.locator("td .sparkline .line").count()).toBe(40);
  });

  it("can be asked between any two publications", async () => {
    const { page, complaints } = await open(`${api.url}/changes`);
    await page.getByLabel("Answers of").selectOption("1 March 2020 (2020-03-01)");
    await page.getByLabel("beside those of").selectOption("1 June 2019 (2019-06-01)");
    await page.getByRole("button", { name: "Compare" }).click();
    expect(await page.locator(".lead").innerText()).toMatch(
      /between 1 June 2019 \(2019-06-01\) and 1 March 2020 \(2020-03-01\)\.$/,
    );
    expect(complaints).toEqual([]);
  });

  it("is nothing before the first publication", async () => {
    const { page } = await open(`${api.url}/changes?execution_date=2019-06-01`);
    expect(await page.locator(".lead").innerText()).toBe("There is no other publication to compare with.");
  });
});

describe("the form for a customer", () => {
  it("answers with the amount, its reason in one sentence, and the curl that asks the same", async () => {
    const { page, complaints } = await open(`${api.url}/customer`);
    await page.getByLabel("Country").fill("Peru");
    await page.getByLabel("Segment").selectOption("By days since the last order");
    await page.getByLabel("Last order").fill("2020-03-01");
    await page.getByLabel("As of").fill("2020-05-29");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Ask" }).click();
    expect(await page.getByRole("heading", { level: 2 }).first().innerText()).toBe("Send 2,640");
    expect(await page.locator(".answer p").first().innerText()).toBe(
      "A customer of Peru who last ordered 89 days before 29 May 2020 is in the segment 60-90 (above 60, up to 90), " +
        "and there it was used most: on 221 of 372 vouchers (59.4%).",
    );
    const [, address = ""] = /^curl '(.*)'$/.exec(await page.locator("pre").innerText()) ?? [];
    expect(await (await fetch(address)).json()).toMatchObject({ voucher_amount: 2640, segment: "60-90" });
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("keeps what was filled in, and says at each field what is wrong with it", async () => {
    const { page } = await open(`${api.url}/customer`);
    await page.getByLabel("Country").fill("Peru");
    await page.getByLabel("Segment").selectOption("By number of orders");
    await page.getByRole("button", { name: "Ask" }).click();
    expect(await page.getByRole("alert").innerText()).toContain("There is no answer yet.");
    expect(await page.getByLabel("Country").inputValue()).toBe("Peru");
    const orders = page.getByLabel("Orders");
    expect(await orders.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#total_orders-note").innerText()).toBe(
      "is needed for a segment by number of orders",
    );
    await expectAccessible(page);
  });

  it("says that there is no answer where nothing is known of the country", async () => {
    const { page } = await open(
      `${api.url}/customer?country_code=%3Cb%3EChile%3C%2Fb%3E&segment_name=frequent_segment&total_orders=2`,
    );
    expect(await page.locator(".answer").innerText()).toContain("There is no answer");
    expect(await page.locator(".answer").innerText()).toContain("A customer of <b>Chile</b> with 2 orders");
  });
});
