import { beforeAll, describe, expect, it } from "@jest/globals";
import { serve, type ServedApi } from "../api/serving.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

let api: ServedApi;

beforeAll(async () => {
  api = await serve(await publishedSample());
});

describe("the answers", () => {
  it("show at a glance their age, how many are sure, and how many changed", async () => {
    const { page, complaints } = await open(api.url);
    expect(await page.getByRole("heading", { level: 1 }).textContent()).toBe("Which voucher do we send?");
    expect(await page.locator(".lead").innerText()).toBe("As of 29 May 2020, today");
    expect(await page.locator(".counts li").allInnerTexts()).toEqual([
      "40 answers",
      "31 sure",
      "5 likely",
      "4 toss-ups",
      "2 changed since 28 May 2020",
    ]);
    expect(await page.locator(".legend").innerText()).toBe(
      "Chance that the same amount would win again: sure from 95%, likely from 75%, toss-up below.",
    );
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("are in a table of countries by segments, for orders and for days since the last order", async () => {
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
      /^Peru(\s+2,640\s+sure){4}$/,
    );
    const byDays = page.getByRole("region", { name: "By days since the last order" });
    expect(await byDays.getByRole("row").count()).toBe(5);
    expect(await byDays.getByRole("row", { name: "Peru" }).getByText("2,640").count()).toBe(6);
  });

  it("have colours for their certainty, and toss-ups are hatched and show their vouchers", async () => {
    const { page } = await open(api.url);
    const ground = (word: string) =>
      page
        .locator(`td.${word}`)
        .first()
        .evaluate(
          (cell) => `${getComputedStyle(cell).backgroundColor} ${getComputedStyle(cell).backgroundImage}`,
        );
    const grounds = await Promise.all(["sure", "likely", "toss-up"].map(ground));
    expect(new Set(grounds).size).toBe(3);
    expect(grounds[2]).toContain("repeating-linear-gradient");
    expect(await page.locator("td.toss-up").count()).toBe(4);
    expect(await page.getByRole("link", { name: "13,200 toss-up, on 220 vouchers was 4,400" }).count()).toBe(
      1,
    );
  });

  it("that changed are marked, with the previous answer", async () => {
    const { page } = await open(api.url);
    const changed = page.locator("td.changed");
    expect((await changed.allInnerTexts()).map((text) => text.replace(/\s+/g, " "))).toEqual([
      "2,200 toss-up, on 192 vouchers was 5,720",
      "13,200 toss-up, on 220 vouchers was 4,400",
    ]);
  });

  it("line up on their right", async () => {
    const { page } = await open(api.url);
    const rights = await page
      .locator("tbody tr > :nth-child(2) strong")
      .evaluateAll((amounts) => amounts.map((amount) => Math.round(amount.getBoundingClientRect().right)));
    expect(new Set(rights).size).toBe(1);
  });

  it("of an earlier publication can be chosen, and are marked as older ones", async () => {
    const { page, complaints } = await open(api.url);
    expect(await page.locator(".notice").count()).toBe(0);
    await page.getByLabel("Answers of").selectOption("28 May 2020");
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.locator(".lead").innerText()).toBe("As of 28 May 2020, 1 day old");
    expect(await page.locator(".notice").innerText()).toContain(
      "These are older answers, as of 28 May 2020.",
    );
    await expectAccessible(page);
    await page.getByRole("link", { name: "Show the newest" }).click();
    expect(await page.locator(".lead").innerText()).toBe("As of 29 May 2020, today");
    expect(complaints).toEqual([]);
  });
});

describe.each([true, false])("the selection of answers (scripts: %s)", (javaScriptEnabled) => {
  it("changes with the counts, which are links, and is undone by the same link", async () => {
    const { page, complaints } = await open(api.url, { javaScriptEnabled });
    await page.getByRole("link", { name: "4 toss-ups" }).click();
    expect(await page.locator(".found").innerText()).toMatch(/^4 toss-ups in 2 countries\./);
    expect(await page.locator("td.toss-up").count()).toBe(4);
    expect(await page.locator("td.sure, td.likely").count()).toBe(0);
    await page.getByRole("link", { name: "2 changed" }).click();
    expect(await page.locator(".found").innerText()).toMatch(/^2 changed toss-ups in 2 countries\./);
    if (javaScriptEnabled) await expectAccessible(page);
    await page.getByRole("link", { name: "2 toss-ups" }).click();
    expect(await page.locator(".found").innerText()).toMatch(/^2 changed answers in 2 countries\./);
    await page.getByRole("link", { name: /^\W*40 answers/ }).click();
    expect(await page.locator(".found").innerText()).toMatch(/^40 answers in 4 countries\./);
    expect(complaints).toEqual([]);
  });

  it("takes a part of a country's name, and a sort order", async () => {
    const { page } = await open(`${api.url}/?certainty=toss-up`, { javaScriptEnabled });
    await page.getByLabel("Country").fill("a");
    await page.getByLabel("Sort by").selectOption("Least certain first");
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.locator(".found").innerText()).toMatch(
      /^4 toss-ups in 2 countries with “a” in the name\./,
    );
    const rows = page.getByRole("region", { name: "By days since the last order" }).getByRole("rowheader");
    expect(await rows.allInnerTexts()).toEqual(["Australia", "Latvia"]);
    await page.getByLabel("Country").fill("Atlantis");
    await page.getByRole("button", { name: "Show" }).click();
    expect(await page.locator(".found").innerText()).toContain("0 toss-ups in 0 countries");
    await page.getByRole("link", { name: "Show all answers" }).click();
    expect(await page.getByRole("row", { name: "Peru" }).count()).toBe(2);
  });
});

describe("a cell", () => {
  it("opens to show the amounts as bars, the share, the runner-up, the margin and the history", async () => {
    const { page, complaints } = await open(api.url);
    const link = page.getByRole("link", { name: /13,200/ });
    await link.click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("toss-up:").waitFor();
    const text = await dialog.innerText();
    expect(text).toContain("Certainty\ntoss-up: 61% chance that this amount would win again");
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
    await page.getByRole("dialog").getByText("toss-up:").waitFor();
    await page.keyboard.press("Escape");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect(await page.evaluate(() => document.activeElement?.textContent)).toContain("13,200");
  });

  it("has its own address: Back closes it, Forward opens it, and a reload leads to its page", async () => {
    const { page, complaints } = await open(`${api.url}/?certainty=toss-up`);
    const list = page.url();
    await page.getByRole("link", { name: /13,200/ }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("toss-up:").waitFor();
    expect(page.url()).toContain("/answer?country_code=Latvia&segment_name=recency_segment&segment=90-120");
    expect(await page.title()).toBe("Latvia, 90-120 days: 13,200 – vouchers");
    await page.goBack();
    await dialog.waitFor({ state: "hidden" });
    expect([page.url(), await page.title()]).toEqual([list, "Which voucher do we send? – vouchers"]);
    await page.goForward();
    await dialog.getByText("toss-up:").waitFor();
    await dialog.getByRole("button", { name: "Close" }).click();
    await page.waitForURL(list);
    await page.goForward();
    await dialog.getByText("toss-up:").waitFor();
    await page.reload();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Latvia, 90-120 days: 13,200");
    await page.goBack();
    await page.getByRole("heading", { name: "Which voucher do we send?" }).waitFor();
    expect(page.url()).toBe(list);
    expect(complaints).toEqual([]);
  });

  it("opens as a separate page without JavaScript", async () => {
    const { page } = await open(api.url, { javaScriptEnabled: false });
    await page.getByRole("link", { name: /13,200/ }).click();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("Latvia, 90-120 days: 13,200");
    expect(await page.getByRole("row", { name: "8,800" }).innerText()).toContain("16.8%");
  });

  it("links to its page when it cannot be loaded", async () => {
    const { page } = await open(api.url);
    await page.route("**/answer?*", (route) => route.abort());
    await page.getByRole("link", { name: /13,200/ }).click();
    const dialog = page.getByRole("dialog");
    expect(await dialog.getByRole("link", { name: "Open it as a page" }).getAttribute("href")).toContain(
      "/answer?",
    );
  });
});

describe("the changes", () => {
  it("are in words, each with its vouchers", async () => {
    const { page, complaints } = await open(`${api.url}/changes`);
    expect(await page.locator(".lead").innerText()).toBe(
      "2 answers changed between 28 May 2020 and 29 May 2020.",
    );
    const changes = await page.locator(".changes li").allInnerTexts();
    expect(changes).toHaveLength(2);
    expect(changes.map((change) => change.replace(/\s+/g, " "))).toEqual([
      "Latvia · 90-120 days: 4,400 → became 13,200, toss-up, on 220 vouchers",
      "Australia · 0-30 days: 5,720 → became 2,200, toss-up, on 192 vouchers",
    ]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("are shown cell by cell, each with its history", async () => {
    const { page } = await open(`${api.url}/changes`);
    expect(await page.locator("td.changed").count()).toBe(2);
    expect(await page.locator("td.unchanged").count()).toBe(38);
    expect(await page.locator("td .sparkline .line").count()).toBe(40);
  });

  it("can be shown between any two publications", async () => {
    const { page, complaints } = await open(`${api.url}/changes`);
    await page.getByLabel("Answers of").selectOption("1 March 2020");
    await page.getByLabel("compared with").selectOption("1 June 2019");
    await page.getByRole("button", { name: "Compare" }).click();
    expect(await page.locator(".lead").innerText()).toMatch(/between 1 June 2019 and 1 March 2020\.$/);
    expect(complaints).toEqual([]);
  });

  it("are none before the first publication", async () => {
    const { page } = await open(`${api.url}/changes?execution_date=2019-06-01`);
    expect(await page.locator(".lead").innerText()).toBe("There is no other publication to compare with.");
  });
});

describe("the form for a customer", () => {
  it("answers with the amount, its reason in one sentence, and a curl with the same request", async () => {
    const { page, complaints } = await open(`${api.url}/customer`);
    await page.getByLabel("Country").fill("Peru");
    await page.getByLabel("Segment").selectOption("By days since the last order");
    await page.getByLabel("Last order").fill("2020-03-01");
    await page.getByLabel("As of").fill("2020-05-29");
    await expectAccessible(page);
    await page.getByRole("button", { name: "Ask" }).click();
    expect(await page.getByRole("heading", { level: 2 }).first().innerText()).toBe("Send 2,640");
    expect(await page.locator(".answer p").first().innerText()).toBe(
      "A customer in Peru who last ordered 89 days before 29 May 2020 is in the segment 60-90 (above 60, up to 90), " +
        "where this amount is used most: on 221 of 372 vouchers (59.4%).",
    );
    expect(await page.locator(".answer p").nth(1).innerText()).toMatch(
      /^This answer is sure: the chance that the same amount would win again is over 99\.9%\./,
    );
    const [, address = ""] = /^curl '(.*)'$/.exec(await page.locator("pre").innerText()) ?? [];
    expect(await (await fetch(address)).json()).toMatchObject({ voucher_amount: 2640, segment: "60-90" });
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("keeps its values, and shows the fault of each field", async () => {
    const { page } = await open(`${api.url}/customer`);
    await page.getByLabel("Country").fill("Peru");
    await page.getByLabel("Segment").selectOption("By number of orders");
    await page.getByRole("button", { name: "Ask" }).click();
    expect(await page.getByRole("alert").innerText()).toContain(
      "Some fields are missing or invalid. Fix the fields marked below.",
    );
    expect(await page.getByLabel("Country").inputValue()).toBe("Peru");
    const orders = page.getByLabel("Orders");
    expect(await orders.getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("#total_orders-note").innerText()).toBe(
      "is needed for a segment by number of orders",
    );
    await expectAccessible(page);
  });

  it("shows that there is no answer if the country is unknown", async () => {
    const { page } = await open(
      `${api.url}/customer?country_code=%3Cb%3EChile%3C%2Fb%3E&segment_name=frequent_segment&total_orders=2`,
    );
    expect(await page.locator(".answer").innerText()).toContain("There is no answer");
    expect(await page.locator(".answer").innerText()).toContain("A customer in <b>Chile</b> with 2 orders");
  });
});
