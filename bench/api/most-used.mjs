// GET /voucher/most-used of this project's api beside other servers that answer the same, in turn:
//   npm run bench:api -- [--rounds 5] [--seconds 5] [--connections 32] [--json FILE]
//                        [--check] [--goal-express 0.8] [--goal-original 10]
// The way of the original service needs a MySQL, and so does this api on one: both are left out where TEST_MYSQL_URL
// names no server. With --check it ends with 1 where a goal is missed. It needs Linux, whose /proc it reads.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { startContenders } from "./contenders.mjs";
import { createMysqlDatabase } from "./mysql-database.mjs";
import { compare, reportText, summarize } from "./report.mjs";
import { processorSeconds } from "./server-process.mjs";

const WARM_UP_SECONDS = 3;
const BODY = '{"voucher_amount":2640}';
const CUSTOMER = {
  customer_id: 123,
  country_code: "Peru",
  last_order_ts: "2022-03-01 00:00:00",
  first_order_ts: "2017-05-03 00:00:00",
  total_orders: 15,
  segment_name: "recency_segment",
};

const { values: options } = parseArgs({
  options: {
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "5" },
    connections: { type: "string", default: "32" },
    json: { type: "string" },
    check: { type: "boolean", default: false },
    "goal-express": { type: "string", default: "0.8" },
    "goal-original": { type: "string", default: "10" },
  },
});
const connections = Number(options.connections);
const seconds = Number(options.seconds);

const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const servers = [];
let mysql;
// Who is interrupted still ends the servers and leaves nothing behind.
const interruption = new globalThis.AbortController();
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => interruption.abort());
try {
  const { TEST_MYSQL_URL: serverUrl } = process.env;
  if (serverUrl !== undefined) mysql = await createMysqlDatabase(serverUrl);
  await startContenders(folder, mysql?.url, servers);
  report(await measureInTurn());
} finally {
  for (const server of servers) await server.stop();
  await mysql?.drop();
  rmSync(folder, { recursive: true, force: true });
}

/** Every contender has its turn in every round, so that what else the machine does falls on all of them. */
async function measureInTurn() {
  for (const server of servers) await load(server, WARM_UP_SECONDS);
  const rounds = Object.fromEntries(servers.map(({ name }) => [name, []]));
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const server of servers) rounds[server.name].push(await load(server, seconds));
  }
  return rounds;
}

async function load({ url, pid }, duration) {
  const address = `${url}/voucher/most-used?customer=${encodeURIComponent(JSON.stringify(CUSTOMER))}`;
  const task = JSON.stringify({ url: address, body: BODY, seconds: duration, connections });
  const before = processorSeconds(pid);
  const program = path.join(import.meta.dirname, "load.mjs");
  const { stdout } = await promisify(execFile)(process.execPath, [program, task], {
    signal: interruption.signal,
  });
  const measured = JSON.parse(stdout);
  const serverMicroseconds = ((processorSeconds(pid) - before) * 1e6) / measured.requests;
  return { ...measured, serverMicroseconds };
}

function report(rounds) {
  const contenders = summarize(rounds);
  const ratios = compare(contenders, {
    "bare Express": Number(options["goal-express"]),
    original: Number(options["goal-original"]),
  });
  const setting = {
    rounds: Number(options.rounds),
    seconds,
    connections,
    cores: os.availableParallelism(),
    processor: os.cpus()[0]?.model,
    node: process.version,
  };
  console.log(reportText(setting, contenders, ratios));
  if (options.json !== undefined) {
    writeFileSync(options.json, `${JSON.stringify({ setting, contenders, ratios, rounds }, null, 2)}\n`);
  }
  if (options.check && ratios.some(({ isMet }) => !isMet)) process.exitCode = 1;
}
