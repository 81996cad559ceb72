import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { hashOfApiKey } from "../../src/settings/api-key-hash.js";
import type { Settings } from "../../src/settings/settings.js";
import { serve, type ServedApi } from "../api/serving.js";
import { makeFolder } from "../workspace.js";
import { expectAccessible, open, type OpenPage } from "./browser.js";
import { publishedSample } from "./sample.js";

const HEADER = "customer_id,country_code,segment_name,total_orders,last_order_ts";
const FEW = [
  HEADER,
  "1,Peru,frequent_segment,15,2020-04-20",
  "2,Peru,frequent_segment,many,2020-04-20",
  '"3,\n""three""",Latvia,recency_segment,2,2020-04-20',
  "",
  "4,Atlantis,frequent_segment,2,2020-04-20",
  "5,Peru,loyalty",
].join("\r\n");
/** Well above a MB: many pieces. */
const MANY = manyLines(25_000);
/** A few pieces. */
const SOME = manyLines(10_000);
const PRICE = "**/v1/campaigns/price?*";

let settings: Settings;
let api: ServedApi;

beforeAll(async () => {
  settings = await publishedSample(["2020-05-29"]);
  api = await serve(settings);
});

function manyLines(count: number): string {
  const lines = [HEADER];
  for (let line = 1; line <= count; line += 1) {
    const country = ["Peru", "Latvia", "China", "Atlantis"][line % 4] ?? "";
    const kind = line % 2 === 0 ? "frequent_segment" : "recency_segment";
    const orders = line % 100 === 0 ? "many" : (line % 60).toString();
    lines.push(`"customer\n""${line}""",${country},${kind},${orders},2020-0${(line % 4) + 1}-12 10:00:00`);
  }
  return lines.join("\n");
}

async function openCampaign(): Promise<OpenPage> {
  return open(`${api.url}/campaign`);
}

async function choose(page: Page, content: string | Buffer, name = "customers.csv"): Promise<void> {
  const buffer = Buffer.from(content);
  await page.getByLabel("File of customers").setInputFiles({ name, mimeType: "text/csv", buffer });
}

async function price(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Price the whole file" }).click();
}

async function priced(page: Page): Promise<void> {
  await page.getByRole("heading", { name: /^The campaign (comes to|has)/ }).waitFor();
}

async function downloaded(page: Page): Promise<{ name: string; text: string }> {
  const coming = page.waitForEvent("download");
  await page.getByRole("link", { name: "Download the priced file" }).click();
  const download = await coming;
  return { name: download.suggestedFilename(), text: await readFile(await download.path(), "utf8") };
}

function cellsOf(row: string): string[] {
  return row.split("\t").map((cell) => cell.trim().replace(/\s+/g, " "));
}

async function asked(body: string, query = "", accept = "text/csv"): Promise<Response> {
  return fetch(`${api.url}/v1/campaigns/price${query}`, {
    method: "POST",
    body,
    headers: { "content-type": "text/csv", accept },
  });
}

describe("a file that is chosen", () => {
  it("is previewed as the service answers it, with what is wrong line by line", async () => {
    const { page, complaints } = await openCampaign();
    await choose(page, FEW);
    const table = page.getByRole("table", { name: "The first lines of customers.csv" });
    await table.waitFor();
    const rows = (await table.getByRole("row").allInnerTexts()).map(cellsOf);
    expect(rows).toEqual([
      ["Line", "Customer", "Country", "Judged", "Segment", "Amount"],
      ["1", "1", "Peru", "by number of orders", "13-37", "2,640"],
      ["2", "2", "Peru", "total_orders must be a whole number from 0 to 2147483647"],
      ["3", '3, "three"', "Latvia", "by days since the last order", "30-60", "4,400"],
      ["4", "4", "Atlantis", "by number of orders", "0-4", "none"],
      ["5", "", "", "line must have one value for each column of the header"],
    ]);
    const inWords = "2 with an amount, 1 for which there is none, 2 faulty.";
    expect(await page.getByRole("status").allInnerTexts()).toEqual([inWords]);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it("shows no more than its first lines", async () => {
    const { page } = await openCampaign();
    await choose(page, MANY);
    await page.getByRole("heading", { name: "The first 20 lines" }).waitFor();
    expect(await page.getByRole("row").count()).toBe(21);
  });

  it("may be dropped instead", async () => {
    const { page, complaints } = await openCampaign();
    const dropped = await page.evaluateHandle((text) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text], "dropped.csv"));
      return transfer;
    }, FEW);
    await page.dispatchEvent(".drop", "drop", { dataTransfer: dropped });
    await page.getByRole("heading", { name: "The first 5 lines" }).waitFor();
    expect(
      await page.getByLabel("File of customers").evaluate((input: HTMLInputElement) => input.value),
    ).toContain("dropped.csv");
    expect(complaints).toEqual([]);
  });

  it("is previewed anew when it is to be answered in another way", async () => {
    const { page, complaints } = await openCampaign();
    await page.getByLabel("Lines that name no segment").selectOption("by number of orders");
    await choose(page, "country_code,total_orders\nPeru,15\nLatvia,2\n");
    await page.locator(".stage").getByText("2 with an amount.").waitFor();
    await page.getByLabel("Fewest vouchers").fill("1000000");
    await page.locator(".stage").getByText("0 with an amount, 2 for which there is none.").waitFor();
    await page.getByLabel("what the country uses most").check();
    await page.locator(".stage").getByText("2 with an amount.").waitFor();
    expect(await page.getByRole("cell", { name: "2,640 of the country" }).count()).toBe(1);
    await page.getByLabel("As of").fill("2020-04-01");
    await page.locator(".stage").getByText("2 with an amount.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("that has no lines is told to have none", async () => {
    const { page, complaints } = await openCampaign();
    await choose(page, HEADER);
    await page.locator(".stage").getByText("The file has no lines.").waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    ["no UTF-8", Buffer.from([0x50, 0x4b, 0x03, 0x04, 0xff, 0xfe]), "it is not UTF-8"],
    ["without columns", "name,town\na,b\n", "country_code is missing in the header"],
    ["empty", "", "country_code is missing in the header"],
    ["broken gzip", Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]), "The file cannot be read."],
    ["with an open quote", `${HEADER}\n1,"Peru,frequent_segment,15,\n`, "a quote in a wrong place"],
  ])("that is wrong (%s) is told so, and another one can be chosen", async (_what, content, told) => {
    const { page } = await openCampaign();
    await choose(page, content);
    await page.getByRole("region", { name: "Failure" }).getByText(told).first().waitFor();
    await expectAccessible(page);
    await choose(page, FEW);
    await page.getByRole("heading", { name: "The first 5 lines" }).waitFor();
  });
});

describe("a file that is priced", () => {
  it("comes to what the api says, and comes back as the api writes it", async () => {
    const { page, complaints } = await openCampaign();
    const asks: number[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/price?")) asks.push(request.postDataBuffer()?.length ?? 0);
    });
    await choose(page, MANY);
    await price(page);
    await priced(page);
    expect(asks.length).toBeGreaterThan(10);
    expect(Math.max(...asks)).toBeLessThan(132_000);
    const { summary } = (await (await asked(MANY, "?summary=true")).json()) as {
      summary: Record<"lines" | "priced" | "without_amount" | "faulty" | "total_amount", number>;
    };
    const counted = (number: number) => number.toLocaleString("en");
    await page
      .getByRole("heading", { name: `The campaign has ${counted(summary.priced)} customers with an amount` })
      .waitFor();
    const facts = await page.locator(".stage .glance dd").allInnerTexts();
    expect(facts.map((fact) => fact.split(", ")[0])).toEqual(
      [summary.lines, summary.priced, summary.without_amount, summary.faulty].map(counted),
    );
    const countries = page.getByRole("table", { name: "By country" });
    expect(await countries.getByRole("rowheader").allInnerTexts()).toEqual(
      expect.arrayContaining(["Peru", "Latvia", "China", "not known"]),
    );
    const byOrders = page.getByRole("table", { name: "By number of orders" });
    expect(await byOrders.getByRole("rowheader").allInnerTexts()).toEqual(["0-4", "5-13", "13-37", "37+"]);
    const faulty = page.getByRole("table", { name: "The first 100 of 250 faulty lines" });
    expect(cellsOf(await faulty.getByRole("row").nth(100).innerText())).toEqual([
      "10,000",
      'customer "10000"',
      "Peru",
      "total_orders must be a whole number from 0 to 2147483647",
    ]);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("result-heading");
    await expectAccessible(page);
    const { name, text } = await downloaded(page);
    expect(name).toBe("customers-priced.csv");
    expect(text === (await (await asked(MANY)).text())).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("may be compressed", async () => {
    const { page, complaints } = await openCampaign();
    await choose(page, gzipSync(SOME), "many.csv.gz");
    await price(page);
    await priced(page);
    const { name, text } = await downloaded(page);
    expect(name).toBe("many-priced.csv");
    expect(text === (await (await asked(SOME)).text())).toBe(true);
    expect(complaints).toEqual([]);
  });

  it("shows how far it is, and can be cancelled", async () => {
    const { page, complaints } = await openCampaign();
    await choose(page, SOME);
    await page.getByRole("heading", { name: "The first 20 lines" }).waitFor();
    let asks = 0;
    await page.route(PRICE, async (route) => {
      asks += 1;
      if (asks === 4) await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.continue().catch(() => undefined);
    });
    await price(page);
    await page.getByText(/lines, [\d,]+ a second/).waitFor();
    expect(await page.getByRole("progressbar", { name: "Pricing the file" }).count()).toBe(1);
    expect(await page.getByLabel("File of customers").isDisabled()).toBe(true);
    await expectAccessible(page);
    await page.keyboard.press("Enter");
    await page.locator(".stage").getByText("Cancelled.").waitFor();
    const asksThen = asks;
    await page.waitForTimeout(300);
    expect(asks).toBe(asksThen);
    await page.getByRole("button", { name: "Price it from the start" }).click();
    await priced(page);
    expect(complaints).toEqual([]);
  });

  it("is told where the service goes away, and can be priced again", async () => {
    const { page } = await openCampaign();
    await choose(page, SOME);
    await page.getByRole("heading", { name: "The first 20 lines" }).waitFor();
    let asks = 0;
    await page.route(PRICE, (route) => ((asks += 1) > 3 ? route.abort() : route.continue()));
    await price(page);
    await page.getByText("The service does not answer. It goes on in").waitFor();
    await page.locator(".stage").getByText("The service cannot be reached.").waitFor();
    expect(await page.locator(".stage .notice").innerText()).toMatch(/The [\d,]+ lines before went well/);
    await page.unroute(PRICE);
    await page.getByRole("button", { name: "Try again" }).click();
    await priced(page);
    expect((await downloaded(page)).text === (await (await asked(SOME)).text())).toBe(true);
  });

  it("goes on where the service is away for a moment, or the key may not ask more often", async () => {
    const { page } = await openCampaign();
    await choose(page, SOME);
    await page.getByRole("heading", { name: "The first 20 lines" }).waitFor();
    let asks = 0;
    await page.route(PRICE, (route) => {
      asks += 1;
      if (asks === 2) return route.abort();
      if (asks === 4) return route.fulfill({ status: 503, body: "gone" });
      if (asks === 6) return route.fulfill({ status: 429, headers: { "Retry-After": "1" } });
      return route.continue();
    });
    await price(page);
    await page.getByText("Your key may not ask more often now. It goes on in 1 second.").waitFor();
    await priced(page);
    expect((await downloaded(page)).text === (await (await asked(SOME)).text())).toBe(true);
  });

  it("says why it cannot be read on, far within the file", async () => {
    const { page } = await openCampaign();
    await choose(page, `${SOME}\n9,Pe"ru,frequent_segment,15,\n`);
    await price(page);
    await page.locator(".stage").getByText("The request is invalid.").waitFor();
    expect(await page.locator(".stage .notice").innerText()).toMatch(
      /a quote in a wrong place, or without its end, near line \d+.* The [\d,]+ lines before went well/,
    );
  });

  it("is to be priced again where the answers are published anew meanwhile", async () => {
    const { page } = await openCampaign();
    let asks = 0;
    await page.route("**/v1/segments?*", (route) => {
      asks += 1;
      return asks === 2 ? route.fulfill({ headers: { ETag: 'W/"another"' } }) : route.continue();
    });
    await choose(page, FEW);
    await price(page);
    await page.locator(".stage").getByText("The answers have changed meanwhile.").waitFor();
    await page.getByRole("button", { name: "Try again" }).click();
    await priced(page);
  });

  it("is forgotten when another one is chosen", async () => {
    const { page, complaints } = await openCampaign();
    await choose(page, FEW);
    await price(page);
    await priced(page);
    await choose(page, `${HEADER}\n1,Peru,frequent_segment,15,2020-04-20\n`);
    await page.getByRole("heading", { name: "The first 1 line" }).waitFor();
    expect(await page.getByRole("heading", { name: /^The campaign (comes to|has)/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

describe("where keys are asked for", () => {
  it("the password that opened the page prices the file, too", async () => {
    const keysFile = path.join(await makeFolder(), "keys.yaml");
    const sha256 = hashOfApiKey("secret").toString("hex");
    await writeFile(keysFile, `keys:\n  - { name: marketing, sha256: "${sha256}" }\n`);
    const keyed = await serve({ ...settings, api: { ...settings.api, keysFile } });
    const httpCredentials = { username: "anybody", password: "secret" };
    const { page } = await open(`${keyed.url}/campaign`, { httpCredentials });
    await choose(page, FEW);
    await price(page);
    await priced(page);
    expect((await downloaded(page)).text).toBe(await (await asked(FEW)).text());
  });
});

describe("the page without JavaScript", () => {
  it("says how a program prices a file", async () => {
    const { page } = await open(`${api.url}/campaign`, { javaScriptEnabled: false });
    expect(await page.getByLabel("File of customers").count()).toBe(0);
    expect(await page.getByText("curl --upload-file customers.csv").count()).toBe(1);
    await page.getByText("What the file has to look like").click();
    expect(await page.getByText("needed by number of orders").isVisible()).toBe(true);
  });

  it("gives its example by a link that the policy of the page lets pass", async () => {
    const { page, complaints } = await openCampaign();
    await page.getByText("What the file has to look like").click();
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "download" }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe("customers.csv");
    const example = await readFile(await download.path(), "utf8");
    expect((await (await asked(example)).text()).trimEnd().split("\n")).toHaveLength(3);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
