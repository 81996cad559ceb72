// The publish of many countries into each database, process by process, with a reader of the database and of an api beside it:
//   npm run bench:publish -- [--countries 50000] [--amounts 3] [--differing 0.1] [--databases sqlite,mysql,mariadb] [--save NAME]
// It publishes a date for the first time, once more, and with some countries that differ. MySQL and MariaDB are those of
// TEST_MYSQL_URL and TEST_MARIADB_URL, as `node test/services/run.mjs -- npm run bench:publish` has them, and are left out
// without. --save writes bench/results/NAME.json. It needs Linux, whose /proc it reads.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";
import { createMysqlDatabase } from "./api/mysql-database.mjs";
import { peakMemory } from "./api/server-process.mjs";
import { startApi } from "./api/voucher-api.mjs";
import { measured } from "./measured-process.mjs";
import { writeManyCountries } from "./publish/many-countries.mjs";
import { saveJson } from "./results.mjs";

const DATE = "2020-05-29T00:00:00";
const EARLIER = "2020-05-28T00:00:00";
const EARLIER_COUNTRIES = 10;
const QUIET_MILLISECONDS = 5_000;
const LOADED_MILLISECONDS = 600_000;
const MEGABYTE = 1024 * 1024;
const main = path.join(import.meta.dirname, "../dist/cli/main.js");

const { values: options } = parseArgs({
  options: {
    countries: { type: "string", default: "50000" },
    amounts: { type: "string", default: "3" },
    differing: { type: "string", default: "0.1" },
    databases: { type: "string", default: "sqlite,mysql,mariadb" },
    save: { type: "string" },
  },
});
const size = { countries: Number(options.countries), amounts: Number(options.amounts) };
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));

try {
  await makeLakes();
  const facts = { ...size, node: process.version, cores: os.availableParallelism() };
  console.log(
    `${size.countries} countries × 10 segments × ${size.amounts} amounts; Node ${facts.node}, ${facts.cores} cores`,
  );
  const publishes = [];
  for (const name of options.databases.split(",")) publishes.push(...(await publishInto(name)));
  if (options.save !== undefined) saveJson(options.save, { ...facts, publishes });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The provision tables to publish, by the stages before. */
async function makeLakes() {
  await writeManyCountries(lakeOf("earlier").RAW_ZONE, { ...size, countries: EARLIER_COUNTRIES });
  await writeManyCountries(lakeOf("first").RAW_ZONE, size);
  await writeManyCountries(lakeOf("differing").RAW_ZONE, { ...size, otherShare: Number(options.differing) });
  for (const [lake, date] of [
    ["earlier", EARLIER],
    ["first", DATE],
    ["differing", DATE],
  ]) {
    const scratch = { ...lakeOf(lake), CONSUMPTION_URL: `sqlite:${path.join(folder, lake, "scratch.db")}` };
    for (const stage of ["curate", "aggregate"]) await pipeline([stage, "-e", date], scratch);
  }
}

function lakeOf(name) {
  return {
    RAW_ZONE: path.join(folder, name, "raw"),
    CURATED_ZONE: path.join(folder, name, "curated"),
    PROVISION_ZONE: path.join(folder, name, "provision"),
    RUN_REPORTS: path.join(folder, name, "runs"),
  };
}

function pipeline(words, environment) {
  return measured(process.execPath, [main, ...words], environment);
}

async function publishInto(name) {
  const database = await openDatabase(name);
  if (database === undefined) return [];
  let api;
  try {
    await pipeline(["publish", "-e", EARLIER], { ...lakeOf("earlier"), CONSUMPTION_URL: database.url });
    const logFile = path.join(folder, `${name}.log`);
    api = await startApi(folder, logFile, database.url);
    const published = [];
    for (const [what, lake] of [
      ["first", "first"],
      ["again", "first"],
      ["differing", "differing"],
    ]) {
      const result = {
        database: name,
        what,
        ...(await publishBesideReader(lake, { ...api, logFile }, database.url)),
      };
      published.push(result);
      console.log(line(result));
    }
    return published;
  } finally {
    await api?.stop();
    await database.drop();
  }
}

async function openDatabase(name) {
  if (name === "sqlite")
    return { url: `sqlite:${path.join(folder, "consumption.db")}`, drop: () => undefined };
  const server = process.env[`TEST_${name.toUpperCase()}_URL`];
  if (server !== undefined) return createMysqlDatabase(server);
  console.log(`left out: ${name}: TEST_${name.toUpperCase()}_URL names no server`);
  return undefined;
}

async function publishBesideReader(lake, api, consumptionUrl) {
  const reader = spawn(
    process.execPath,
    [path.join(import.meta.dirname, "publish/reader.mjs"), consumptionUrl, api.url],
    {
      stdio: ["pipe", "pipe", "inherit"],
    },
  );
  const said = text(reader.stdout);
  const ended = once(reader, "close");
  const quiet = Date.now();
  await delay(QUIET_MILLISECONDS);
  const loads = loadsIn(api.logFile).length;
  const begun = Date.now();
  const { output, seconds, processorSeconds, peakBytes } = await pipeline(["publish", "-e", DATE, "--json"], {
    ...lakeOf(lake),
    CONSUMPTION_URL: consumptionUrl,
  });
  const { published, steps } = JSON.parse(output);
  const loadedAt = published.isNew ? await nextLoad(api.logFile, loads) : undefined;
  const end = Date.now();
  reader.stdin.end();
  const { database, api: asked, publications } = JSON.parse(await said);
  await ended;
  const count = (column) => published.tables.reduce((sum, table) => sum + table[column], 0);
  const secondsOf = (name) => steps.find(({ step }) => step === name)?.seconds ?? null;
  return {
    rows: count("rows"),
    upserted: count("upserted"),
    removed: count("removed"),
    process_seconds: rounded(seconds),
    processor_seconds: rounded(processorSeconds),
    publish_seconds: rounded(secondsOf("publish")),
    compare_seconds: rounded(secondsOf("comparing the answers")),
    rows_per_second: Math.round(count("rows") / secondsOf("publish")),
    peak_megabytes: Math.round(peakBytes / MEGABYTE),
    readers: {
      database: { quiet: waits(database, quiet, begun), publish: waits(database, begun, end) },
      api: { quiet: waits(asked, quiet, begun), publish: waits(asked, begun, end) },
    },
    api_load_seconds: loadedAt === undefined ? null : rounded((loadedAt - publications.at(-1).at) / 1_000),
    api_peak_megabytes: Math.round(peakMemory(api.pid) / MEGABYTE),
  };
}

/** When the api has loaded publications, in milliseconds. */
function loadsIn(logFile) {
  const lines = readFileSync(logFile, "utf8").split("\n");
  return lines
    .filter((entry) => entry.includes("a publication is loaded"))
    .map((entry) => JSON.parse(entry).time);
}

async function nextLoad(logFile, loads) {
  for (const end = performance.now() + LOADED_MILLISECONDS; performance.now() < end;) {
    const found = loadsIn(logFile);
    if (found.length > loads) return found.at(-1);
    await delay(50);
  }
  throw new Error(`the api has not loaded the publication:\n${readFileSync(logFile, "utf8").slice(-4000)}`);
}

/** Of those who asked from one moment to another, in milliseconds. */
function waits(asked, from, to) {
  const waited = asked
    .filter(([at]) => at >= from && at < to)
    .map(([, wait]) => wait)
    .sort((a, b) => a - b);
  return {
    asked: waited.length,
    p99_milliseconds: rounded(waited[Math.floor(waited.length * 0.99)] ?? 0),
    longest_milliseconds: rounded(waited.at(-1) ?? 0),
  };
}

function line(result) {
  const { database, what, rows, upserted, removed, readers } = result;
  const waited = ({ quiet, publish }) =>
    `${publish.p99_milliseconds}/${publish.longest_milliseconds} ms (quiet ${quiet.p99_milliseconds}/${quiet.longest_milliseconds})`;
  return [
    `${database} ${what}: ${rows} rows, ${upserted} upserted, ${removed} removed`,
    `  publish ${result.publish_seconds} s, ${result.rows_per_second} rows/s; comparing ${result.compare_seconds} s; process ${result.process_seconds} s, ${result.processor_seconds} s of processor, ${result.peak_megabytes} MB`,
    `  waits, p99/longest: database ${waited(readers.database)}, api ${waited(readers.api)}`,
    `  api: loaded ${result.api_load_seconds ?? "-"} s after it was visible, peak ${result.api_peak_megabytes} MB`,
  ].join("\n");
}

function rounded(number) {
  return Number(number.toFixed(3));
}
