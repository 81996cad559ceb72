import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Page } from "playwright-core";
import { serve, type ServedApi } from "../api/serving.js";
import { makeFolder, PROJECT } from "../workspace.js";
import { open } from "./browser.js";
import { publishedCountries } from "./many-countries.js";
import { publishedSample } from "./sample.js";

const IMAGES = path.join(PROJECT, "docs/images");
/** A picture of nothing but a ground is smaller. */
const LEAST_BYTES = 8_000;

const DESKTOP = { width: 1100, height: 760 };
const PHONE = { width: 390, height: 800 };

interface Shot {
  readonly name: string;
  readonly address: string;
  /** Whether it shows the answers of many countries, and not those of the sample. */
  readonly isOfMany?: boolean;
  readonly colorScheme?: "light" | "dark";
  readonly viewport?: typeof DESKTOP;
  readonly first?: (page: Page) => Promise<void>;
}

const openCell = async (page: Page) => {
  await page.getByRole("link", { name: /13,200/ }).click();
  await page.getByRole("dialog").getByText("toss-up:").waitFor();
};

const customer = "/customer?country_code=Peru&segment_name=recency_segment&last_order_ts=2020-03-01";
const CAMPAIGN = [
  "customer_id,country_code,segment_name,total_orders,last_order_ts",
  ...Array.from({ length: 600 }, (_, index) =>
    [
      `customer-${index}`,
      ["Peru", "China", "Australia", "Latvia"][index % 4],
      ["frequent_segment", "recency_segment"][index % 2],
      index % 97 === 5 ? "many" : (index * 7) % 60,
      `2020-0${(index % 4) + 1}-${((index % 27) + 1).toString().padStart(2, "0")}`,
    ].join(),
  ),
].join("\n");

const priceCampaign = async (page: Page) => {
  await page.setInputFiles("input[type=file]", {
    name: "customers.csv",
    mimeType: "text/csv",
    buffer: Buffer.from(CAMPAIGN),
  });
  await page.getByRole("button", { name: /^Price/ }).click();
  await page.getByRole("link", { name: /^Download/ }).waitFor();
};

const SHOTS: readonly Shot[] = [
  { name: "answers", address: "/" },
  { name: "answers-dark", address: "/", colorScheme: "dark" },
  { name: "answers-phone", address: "/", viewport: PHONE },
  { name: "answers-many", address: "/?sort=change", isOfMany: true },
  { name: "answers-many-dark", address: "/?sort=change", isOfMany: true, colorScheme: "dark" },
  { name: "answers-many-phone", address: "/?certainty=toss-up", isOfMany: true, viewport: PHONE },
  { name: "answer", address: "/", first: openCell },
  { name: "answer-phone-dark", address: "/", viewport: PHONE, colorScheme: "dark", first: openCell },
  { name: "changes", address: "/changes?against=2019-12-01" },
  { name: "customer", address: customer },
  { name: "campaign", address: "/campaign", first: priceCampaign },
  { name: "health", address: "/health" },
  { name: "health-dark", address: "/health", colorScheme: "dark" },
];

let api: ServedApi;
let apiOfMany: ServedApi;
let folder: string;

beforeAll(async () => {
  api = await serve(await publishedSample());
  apiOfMany = await serve(await publishedCountries(250));
  folder = process.env["UPDATE_SCREENSHOTS"] === "1" ? IMAGES : await makeFolder();
});

describe("the pictures of the README", () => {
  it.each(SHOTS)(
    "$name is taken, and is in docs/images",
    async ({ name, address, isOfMany = false, first, ...options }) => {
      const { url } = isOfMany ? apiOfMany : api;
      const { page, complaints } = await open(url + address, { viewport: DESKTOP, ...options });
      await first?.(page);
      const file = `${name}.png`;
      await page.screenshot({ path: path.join(folder, file), fullPage: !isOfMany && first !== openCell });
      expect((await readFile(path.join(folder, file))).length).toBeGreaterThan(LEAST_BYTES);
      expect((await readFile(path.join(IMAGES, file))).length).toBeGreaterThan(LEAST_BYTES);
      expect(complaints).toEqual([]);
    },
  );
});
