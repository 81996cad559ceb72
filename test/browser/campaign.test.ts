import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { BrowserContextOptions, Page } from "playwright-core";
import { hashOfApiKey } from "../../src/settings/api-key-hash.js";
import type { Settings } from "../../src/settings/settings.js";
import { startApi } from "../api/process.js";
import { serve, type ServedApi } from "../api/serving.js";
import { makeFolder } from "../workspace.js";
import { expectAccessible, open } from "./browser.js";
import { publishedSample } from "./sample.js";

const HEADER = "customer_id,name,country_code,segment_name,total_orders,last_order_ts";

/** Each kind of fault, and a part of what is told of it. */
const FAULTS: readonly (readonly [row: string | Buffer, told: string])[] = [
  ['7,A"nna,Peru,frequent_segment,15,', "has a quote in a wrong place"],
  ['8,"Anna,Peru,frequent_segment,15,', "opens a quote that is not closed"],
  ['9,"Anna"x,Peru,frequent_segment,15,', "has a quote in a wrong place"],
  [`10,${"x".repeat(70_000)},Peru,frequent_segment,15,`, "has more than 65,536 bytes"],
  [Buffer.from("11,Anna,Per\xfa,frequent_segment,15,", "latin1"), "is not in UTF-8"],
  ["12,Anna,Peru,frequent_segment", "has 4 values, and the header line has 6"],
  ["13,Anna,Peru,frequent_segment,15,,", "has 7 values, and the header line has 6"],
  ["14,Anna,Peru,frequent_segment,many,", "total_orders “many” must be a whole number"],
  ["15,Anna,Peru,frequent_segment,,", "total_orders is needed for frequent_segment"],
  ["16,Anna,Peru,recency_segment,,2020-02-30", "last_order_ts “2020-02-30” must be a valid date"],
  ["17,Anna,,frequent_segment,15,", "country_code is missing"],
  ["18,Anna,Peru,loyal,15,", "segment_name “loyal” must be frequent_segment or recency_segment"],
];
const CUSTOMERS = 2_000;

let settings: Settings;
let api: ServedApi;

beforeAll(async () => {
  settings = await publishedSample(["2020-05-29"]);
  api = await serve(settings);
});

/** 2,000 customers, of whom every hundredth has the next kind of fault. Some names are formulas to a spreadsheet. */
function customersWithFaults(): Buffer {
  const newline = Buffer.from("\r\n");
  const rows = Array.from({ length: CUSTOMERS }, (_, index) => {
    if (index % 100 === 99) return FAULTS[Math.floor(index / 100) % FAULTS.length]?.[0] ?? "";
    const country = ["Peru", "Latvia", "China", "peruu"][index % 4] ?? "";
    const kind = index % 2 === 0 ? "frequent_segment" : "recency_segment";
    const name = index % 10 === 3 ? "=1+1" : `"Anna, ""${index}"""`;
    return `${index - 5},${name},${country},${kind}, ${index % 60}.0,2020-0${(index % 4) + 1}-12`;
  });
  return Buffer.concat([`\uFEFF${HEADER}`, ...rows].flatMap((row) => [Buffer.from(row), newline]));
}

async function send(page: Page, content: string | Buffer, name = "customers.csv"): Promise<void> {
  const buffer = Buffer.from(content);
  await page.getByLabel("File of customers").setInputFiles({ name, mimeType: "text/csv", buffer });
  await page.getByRole("button", { name: "Price the file" }).click();
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

async function asked(body: string | Buffer, query = ""): Promise<string> {
  const response = await fetch(`${api.url}/v1/campaigns/price${query}`, {
    method: "POST",
    body: new Uint8Array(Buffer.from(body)),
    headers: { "content-type": "text/csv" },
  });
  return Buffer.from(await response.arrayBuffer()).toString();
}

describe.each<[string, BrowserContextOptions]>([
  ["with JavaScript", {}],
  ["without JavaScript", { javaScriptEnabled: false }],
])("a campaign of 2,000 customers with twelve kinds of fault, %s", (_how, options) => {
  it("shows its costs and its faults, and comes back as the api writes it", async () => {
    const body = customersWithFaults();
    const { page, complaints } = await open(`${api.url}/campaign`, options);
    await send(page, body);
    await page.getByRole("heading", { name: "The result of customers.csv" }).waitFor();
    await page.getByRole("heading", { name: "The campaign has 1,500 customers with an amount" }).waitFor();
    const facts = await page.locator(".glance dd").allInnerTexts();
    expect(facts.map((fact) => fact.split(", ")[0])).toEqual(["2,000", "1,500", "480", "20"]);
    const certainty = await page.locator(".counts li").allInnerTexts();
    expect(certainty.map((text) => text.replace(/^[\d,]+ /, ""))).toEqual(["sure", "likely", "toss-up"]);
    const countries = page.getByRole("table", { name: "By country" });
    expect(await countries.getByRole("rowheader").allInnerTexts()).toEqual(
      expect.arrayContaining(["Peru", "Latvia", "China", "unknown"]),
    );
    const byOrders = page.getByRole("table", { name: "By number of orders" });
    expect(await byOrders.getByRole("rowheader").allInnerTexts()).toEqual(["0-4", "5-13", "13-37", "37+"]);
    const faulty = await page.getByRole("table", { name: "Faulty lines" }).getByRole("row").allInnerTexts();
    const told = faulty.slice(1).map(cellsOf);
    expect(told.map(([line]) => line)).toEqual(
      Array.from({ length: 20 }, (_, index) => (index * 100 + 101).toLocaleString("en")),
    );
    for (const [index, [, fault]] of FAULTS.entries()) expect(told[index]?.at(-1)).toContain(fault);
    const first = page.getByRole("table", { name: "The first 10 lines" }).getByRole("row");
    expect((await first.allInnerTexts()).slice(1, 5).map(cellsOf)).toEqual([
      ["2", "-5", "Peru", "0-4", "2,640", "sure"],
      ["3", "-4", "Latvia", "90-120", expect.any(String), expect.any(String)],
      ["4", "-3", "China", "0-4", "1,760", "sure"],
      ["5", "-2", "peruu", "30-60", "none", "there is no answer for this country; similar names: Peru"],
    ]);
    if (options.javaScriptEnabled !== false) await expectAccessible(page);
    expect(complaints).toEqual([]);

    const { name, text } = await downloaded(page);
    expect(name).toBe("customers-priced.csv");
    expect(text === (await asked(body, "?escape=spreadsheet"))).toBe(true);
    expect(text.replaceAll(/(?<=,)'=/g, "=") === (await asked(body))).toBe(true);
    expect(text.split("'=1+1")).toHaveLength(201);
    expect(text.startsWith(`\uFEFF${HEADER},segment,voucher_amount,`)).toBe(true);
  });
});

describe("a file that is sent", () => {
  it("is answered as the form says", async () => {
    const { page, complaints } = await open(`${api.url}/campaign`);
    await page.getByLabel("Lines without a segment").selectOption("by number of orders");
    await page.getByLabel("Fewest vouchers").fill("1000000");
    await page.getByLabel("Fallback").selectOption("the amount that the country uses most");
    await page.getByLabel("As of").fill("2020-04-01");
    await page.getByLabel("Characters").selectOption("Windows-1252");
    const content = Buffer.from("Country;Orders;\xa3\nPeru;15;\x80\n", "latin1");
    await send(page, gzipSync(content), "many.csv.gz");
    await page.getByRole("heading", { name: "The campaign costs 2,640" }).waitFor();
    expect(await page.getByText("1 by the country").count()).toBe(1);
    const { name, text } = await downloaded(page);
    expect(name).toBe("many-priced.csv");
    expect(text.split("\n")[1]).toBe("Peru;15;€;13-37;2640;;;country;;;");
    await page.goto(`${api.url}/campaign`);
    await page.getByLabel("Lines without a segment").selectOption("by number of orders");
    await page.getByLabel("Least certainty").selectOption("sure");
    await send(page, "country_code,total_orders\nAustralia,15\nPeru,15\n");
    await page.getByRole("heading", { name: /^The campaign/ }).waitFor();
    expect(complaints).toEqual([]);
  });

  it.each([
    ["an Excel workbook", Buffer.from("PK\x03\x04\xff\xfe", "latin1"), "Save it as “CSV UTF-8” first."],
    ["without columns", "name,town\na,b\n", "country_code is missing in the header"],
    ["empty", "", "country_code is missing in the header"],
    ["broken gzip", Buffer.from([0x1f, 0x8b, 1, 2, 3, 4]), "cannot decompress the body"],
    ["separated by |", "country_code|total_orders\n", 'This file is separated by "|".'],
  ])("and is wrong (%s) gets the reason, and another one can be sent", async (_what, content, told) => {
    const { page } = await open(`${api.url}/campaign`);
    await send(page, content);
    await page.getByRole("heading", { name: "The file cannot be priced" }).waitFor();
    expect(await page.locator("main").innerText()).toContain(told);
    await expectAccessible(page);
    await page.getByRole("link", { name: "Send another file" }).click();
    await send(page, `${HEADER}\n`);
    await page.getByRole("heading", { name: "The campaign costs 0" }).waitFor();
  });

  it.each([
    ["light", 1440],
    ["dark", 390],
  ] as const)("keeps to WCAG AA %s, and never runs out of a window of %d", async (colorScheme, width) => {
    const { page, complaints } = await open(`${api.url}/campaign`, {
      colorScheme,
      viewport: { width, height: 800 },
    });
    for (const details of await page.locator("summary").all()) await details.click();
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    await send(page, customersWithFaults());
    await page.getByRole("heading", { name: /^The campaign/ }).waitFor();
    await expectAccessible(page);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
    expect(complaints).toEqual([]);
  });
});

describe("if keys are needed", () => {
  it("the password that opened the page prices the file, too", async () => {
    const keysFile = path.join(await makeFolder(), "keys.yaml");
    const sha256 = hashOfApiKey("secret").toString("hex");
    await writeFile(keysFile, `keys:\n  - { name: marketing, sha256: "${sha256}" }\n`);
    const keyed = await serve({ ...settings, api: { ...settings.api, keysFile } });
    const httpCredentials = { username: "anybody", password: "secret" };
    const { page } = await open(`${keyed.url}/campaign`, { httpCredentials });
    const body = `${HEADER}\n1,Anna,Peru,frequent_segment,15,2020-04-20\n`;
    await send(page, body);
    await page.getByRole("heading", { name: "The campaign costs 2,640" }).waitFor();
    expect((await downloaded(page)).text).toBe(await asked(body));
  });
});

describe("a campaign of a million lines", () => {
  const LINES = 1_000_000;

  it("shows how far it is without a script, in little memory", async () => {
    const file = path.join(await makeFolder(), "million.csv");
    const countries = ["Peru", "China", "Australia", "Latvia", "Atlantis"];
    const lines = Array.from(
      { length: LINES },
      (_, index) =>
        `customer-${index},Anna,${countries[index % 5]},frequent_segment,${(index * 7) % 60},2020-04-20 10:00:00`,
    );
    await writeFile(file, `${HEADER}\n${lines.join("\n")}\n`);
    const served = startApi({ CONSUMPTION_URL: settings.consumptionUrl, PORT: "0" });
    const url = `http://127.0.0.1:${(await served.port).toString()}`;
    const { page } = await open(`${url}/campaign`, { javaScriptEnabled: false });
    await page.getByLabel("File of customers").setInputFiles(file);
    await page.getByRole("button", { name: "Price the file" }).click({ timeout: 120_000 });
    await page.getByText(/^[\d,]+ lines?, [\d.]+ of 6\d\.\d MB read$/).waitFor({ timeout: 120_000 });
    await page
      .getByRole("heading", { name: "The campaign has 800,000 customers with an amount" })
      .waitFor({ timeout: 240_000 });
    if (process.platform === "linux") {
      const status = await readFile(`/proc/${String(served.child.pid)}/status`, "utf8");
      expect(Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1])).toBeLessThan(220_000);
    }
  }, 400_000);
});

describe("the page", () => {
  it("gives its example by a link that the policy of the page lets pass", async () => {
    const { page, complaints } = await open(`${api.url}/campaign`);
    await page.getByText("The format of the file").click();
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "download" }).click();
    const download = await coming;
    expect(download.suggestedFilename()).toBe("customers.csv");
    const example = await readFile(await download.path(), "utf8");
    const lines = (await asked(example)).trimEnd().split("\n");
    expect(lines.map((line) => line.split(",").at(-1))).toEqual(["error", "", ""]);
    expect(complaints).toEqual([]);
  });
});
