import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { afterAll, afterEach, expect } from "@jest/globals";
import type { AxeResults } from "axe-core";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { findChromium } from "./chromium.mjs";

/** Nothing of the browser's own asks anything of others. */
const ALONE = [
  "--no-sandbox",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

let browser: Promise<Browser> | undefined;
const contexts: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const context of contexts.splice(0)) await context.close();
});

afterAll(async () => {
  await (await browser)?.close();
});

/** A page in a browser of its own: no cookies, nothing cached. */
export interface OpenPage {
  readonly page: Page;
  /** What went wrong without a person seeing it: errors and warnings of the console, and what the policy has refused. */
  readonly complaints: readonly string[];
}

/** Opens an address in a real Chromium. Everything is in English, in UTC, and without motion. */
export async function open(address: string, options: BrowserContextOptions = {}): Promise<OpenPage> {
  const context = await (
    await launched()
  ).newContext({
    locale: "en-GB",
    timezoneId: "UTC",
    reducedMotion: "reduce",
    ...options,
  });
  contexts.push(context);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(address);
  return { page, complaints };
}

function launched(): Promise<Browser> {
  const executablePath = findChromium();
  if (executablePath === undefined) throw new Error("there is no Chromium; see docs/testing.md");
  browser ??= chromium.launch({ executablePath, args: ALONE });
  return browser;
}

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Holds what a page shows now to WCAG 2.2 AA and axe's best practices. */
export async function expectAccessible(page: Page): Promise<void> {
  await page.evaluate(await readFile(AXE, "utf8"));
  const { violations } = await page.evaluate<AxeResults>("axe.run()");
  const faults = violations.map(({ id, impact, nodes }) => ({
    id,
    impact,
    where: nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary ?? ""}`),
  }));
  expect(faults).toEqual([]);
}
