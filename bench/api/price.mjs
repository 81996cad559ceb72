// A file of customers through POST /v1/campaigns/price of a built api, in a process of its own.
//   node bench/api/price.mjs [--lines 1000000] [--format csv|ndjson] [--check]
// It prints how fast the file was answered, and the most memory that the process has held (Linux only). With --check more
// than 150 MB of it are a failure.
import { Buffer } from "node:buffer";
import { mkdtempSync, rmSync } from "node:fs";
import http from "node:http";
import os from "node:os";
import path from "node:path";
import { Readable } from "node:stream";
import { parseArgs } from "node:util";
import { peakMemory } from "./server-process.mjs";
import { publishSample, startApi } from "./voucher-api.mjs";

const MAX_MEGABYTES = 150;
const LINES_PER_CHUNK = 1_000;
const COUNTRIES = ["Peru", "China", "Australia", "Latvia", "Atlantis"];
const KINDS = ["frequent_segment", "recency_segment"];

const { values: options } = parseArgs({
  options: {
    lines: { type: "string", default: "1000000" },
    format: { type: "string", default: "csv" },
    check: { type: "boolean", default: false },
  },
});
const lineCount = Number(options.lines);
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const consumptionUrl = `sqlite:${path.join(folder, "consumption.db")}`;

try {
  publishSample(folder, consumptionUrl);
  await measure();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure() {
  const { url, pid, stop } = await startApi(folder, path.join(folder, "api.log"), consumptionUrl);
  try {
    const started = performance.now();
    const { lines, summary, sentBytes } = await price(url);
    const seconds = (performance.now() - started) / 1_000;
    expectEqual("lines", [lines, summary.lines, summary.priced + summary.without_amount], lineCount);
    // A trailer field has no room for many groups.
    const sum = summary.groups?.reduce((total, group) => total + group.total_amount, 0);
    if (sum !== undefined) expectEqual("total_amount", [sum], summary.total_amount);
    report({ seconds, sentBytes, megabytes: peakMemory(pid) / 1_048_576 });
  } finally {
    await stop();
  }
}

/** Sends the file and counts the lines of the answer, both at once. */
function price(url) {
  const type = options.format === "csv" ? "text/csv" : "application/x-ndjson";
  const file = { bytes: 0 };
  return new Promise((resolve, reject) => {
    const request = http.request(`${url}/v1/campaigns/price`, {
      method: "POST",
      headers: { "content-type": type },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      let ends = 0;
      let last = "";
      response.on("error", reject);
      response.on("data", (chunk) => {
        for (let at = chunk.indexOf(10); at !== -1; at = chunk.indexOf(10, at + 1)) ends += 1;
        last = (last + chunk.toString()).slice(-20_000);
      });
      response.on("end", () => {
        // Of CSV one line is the header, of NDJSON the summary.
        const trailer = response.trailers["price-summary"];
        const lastLine = last.trimEnd().split("\n").at(-1);
        const summary = trailer === undefined ? JSON.parse(lastLine).summary : JSON.parse(trailer);
        resolve({ lines: ends - 1, summary, sentBytes: file.bytes });
      });
    });
    Readable.from(chunks(file), { objectMode: false }).pipe(request);
  });
}

function* chunks(file) {
  if (options.format === "csv") yield "customer_id,country_code,segment_name,total_orders,last_order_ts\n";
  for (let start = 0; start < lineCount; start += LINES_PER_CHUNK) {
    const count = Math.min(LINES_PER_CHUNK, lineCount - start);
    const chunk = Array.from({ length: count }, (_, index) => lineOf(start + index)).join("");
    file.bytes += Buffer.byteLength(chunk);
    yield chunk;
  }
}

function lineOf(index) {
  const moment = new Date(Date.UTC(2018, 0, 1) + ((index * 7_919) % 75_000_000) * 1_000);
  const customer = {
    customer_id: `customer-${index}`,
    country_code: COUNTRIES[index % COUNTRIES.length],
    segment_name: KINDS[index % KINDS.length],
    total_orders: (index * 7) % 60,
    last_order_ts: moment.toISOString().slice(0, 19).replace("T", " "),
  };
  return options.format === "csv" ? `${Object.values(customer).join()}\n` : `${JSON.stringify(customer)}\n`;
}

function expectEqual(what, found, expected) {
  if (found.every((number) => number === expected)) return;
  throw new Error(`${what}: ${found.join(", ")} where ${expected} was expected`);
}

function report({ seconds, sentBytes, megabytes }) {
  console.log(`${lineCount.toLocaleString("en")} lines of ${options.format} in ${seconds.toFixed(1)} s`);
  console.log(`${Math.round(lineCount / seconds).toLocaleString("en")} lines/s`);
  console.log(`${(sentBytes / 1_000_000 / seconds).toFixed(1)} MB/s`);
  console.log(`${megabytes.toFixed(0)} MB at most`);
  if (options.check && megabytes > MAX_MEGABYTES) {
    console.log(`more than ${MAX_MEGABYTES} MB`);
    process.exitCode = 1;
  }
}
