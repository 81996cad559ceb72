// How soon Chromium paints the page of a built api, on loopback, and how much it transfers for it:
//   npm run bench:page -- [--rounds 15] [--check] [--goal-milliseconds 200] [--goal-kilobytes 100]
// Every round is a browser that has nothing cached. With --check it ends with 1 where a goal is missed.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";
import { findChromium } from "../../test/browser/chromium.mjs";
import { publishSample, startApi } from "../api/voucher-api.mjs";

const WARM_UP_ROUNDS = 3;

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "15" },
    check: { type: "boolean", default: false },
    "goal-milliseconds": { type: "string", default: "200" },
    "goal-kilobytes": { type: "string", default: "100" },
  },
});

const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const consumptionUrl = `sqlite:${path.join(folder, "consumption.db")}`;
let api;
let browser;
try {
  publishSample(folder, consumptionUrl);
  api = await startApi(folder, path.join(folder, "api.log"), consumptionUrl);
  browser = await chromium.launch({ executablePath: findChromium(), args: ["--no-sandbox"] });
  for (let round = 0; round < WARM_UP_ROUNDS; round += 1) await openOnce();
  const opened = [];
  for (let round = 0; round < Number(options.rounds); round += 1) opened.push(await openOnce());
  report(opened);
} finally {
  await browser?.close();
  await api?.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function openOnce() {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(api.url);
  const measured = await page.evaluate(async () => {
    const [paint] = await new Promise((resolve) => {
      new globalThis.PerformanceObserver((list) => resolve(list.getEntries())).observe({
        type: "paint",
        buffered: true,
      });
    });
    const loaded = ["navigation", "resource"].flatMap((type) => performance.getEntriesByType(type));
    return {
      milliseconds: paint.startTime,
      bytes: loaded.reduce((sum, { transferSize }) => sum + transferSize, 0),
    };
  });
  await context.close();
  return measured;
}

function report(opened) {
  const milliseconds = opened.map((one) => one.milliseconds).sort((a, b) => a - b);
  const median = milliseconds[Math.floor(milliseconds.length / 2)];
  const kilobytes = Math.max(...opened.map(({ bytes }) => bytes)) / 1_000;
  console.log(
    `first paint: median of ${milliseconds.length} rounds ${median.toFixed(0)} ms, ` +
      `from ${milliseconds[0].toFixed(0)} to ${milliseconds.at(-1).toFixed(0)}`,
  );
  console.log(`transferred: ${kilobytes.toFixed(1)} kB`);
  const isMissed =
    median > Number(options["goal-milliseconds"]) || kilobytes > Number(options["goal-kilobytes"]);
  if (options.check && isMissed) {
    console.log(`the goal is ${options["goal-milliseconds"]} ms and ${options["goal-kilobytes"]} kB`);
    process.exitCode = 1;
  }
}
