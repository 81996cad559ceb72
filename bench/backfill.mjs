// A backfill of many execution dates beside single runs of the same dates, all as whole processes:
//   npm run bench:backfill -- [--dates 90] [--rows 511427] [--max-parallel 1] [--singles 9] [--save NAME]
// Both begin with empty zones and no database, and shall leave files of the same bytes. With --singles only so many of the single
// runs are made, from the first date to the last, and multiplied. --save writes bench/results/NAME.json and a chart.
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { measured } from "./measured-process.mjs";
import { barChart, mediansOf, rounded, saveResults } from "./results.mjs";

const LAST_DATE = Date.UTC(2020, 4, 29);
const DAY_MILLISECONDS = 86_400_000;

const project = path.resolve(import.meta.dirname, "..");
const main = path.join(project, "dist/cli/main.js");

const { values: options } = parseArgs({
  options: {
    dates: { type: "string", default: "90" },
    rows: { type: "string", default: "511427" },
    "max-parallel": { type: "string", default: "1" },
    singles: { type: "string" },
    save: { type: "string" },
  },
});
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));

try {
  await compare();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare() {
  const raw = path.join(folder, "raw/vouchers");
  await measured(process.execPath, [main, "sample", "--rows", options.rows, "--out", raw]);
  const count = Number(options.dates);
  const dates = Array.from({ length: count }, (_, index) => dateBeforeLast(count - 1 - index));
  const single = spread(dates, options.singles === undefined ? count : Number(options.singles));

  const [from, to] = [dates[0], dates.at(-1)];
  const range = ["--from", from, "--to", to, "--max-parallel", options["max-parallel"]];
  const backfill = await runIn("backfill", ["backfill", ...range]);
  const singles = [];
  for (const date of single) singles.push(await runIn("singles", ["-e", date]));
  assertSameFiles(dates, single);

  const summary = summaryOf(backfill, singles);
  console.log(textOf(summary));
  if (options.save !== undefined) {
    const title = `${summary.dates} execution dates over ${summary.rows} rows: seconds and peak memory`;
    saveResults(options.save, summary, barChart(title, summary.contenders));
  }
}

/** The date so many days before the last one. */
function dateBeforeLast(days) {
  return new Date(LAST_DATE - days * DAY_MILLISECONDS).toISOString().slice(0, 10);
}

/** So many of the dates, with the first and the last, as far from each other as can be. */
function spread(dates, count) {
  if (count === 1) return [dates.at(-1)];
  return Array.from(
    { length: count },
    (_, index) => dates[Math.round((index * (dates.length - 1)) / (count - 1))],
  );
}

/** Runs the pipeline with zones and a database that are a contender's own. */
function runIn(contender, args) {
  const own = path.join(folder, contender);
  return measured(process.execPath, [main, ...args], {
    RAW_ZONE: path.join(folder, "raw"),
    CURATED_ZONE: path.join(own, "curated"),
    PROVISION_ZONE: path.join(own, "provision"),
    RUN_REPORTS: path.join(own, "runs"),
    CONSUMPTION_URL: `sqlite:${path.join(own, "consumption.db")}`,
    SQL_DIRECTORY: path.join(project, "sql"),
  });
}

/** @throws Error where the backfill lacks a partition, or has one of other bytes than the single run of its date. */
function assertSameFiles(dates, single) {
  const ours = partitionsOf("backfill");
  const theirs = partitionsOf("singles");
  const wanted = (theirs.size / single.length) * dates.length;
  if (theirs.size === 0 || ours.size !== wanted)
    throw new Error(
      `the backfill left ${ours.size} partitions, and ${single.length} single runs make it ${wanted}`,
    );
  for (const [file, sha256] of theirs) {
    if (ours.get(file) !== sha256) throw new Error(`${file} of the backfill is not that of the single run`);
  }
}

/** The SHA-256 of each file at rest, by its path. */
function partitionsOf(contender) {
  const files = ["curated", "provision"].flatMap((zone) =>
    readdirSync(path.join(folder, contender, zone), { recursive: true })
      .filter((file) => /execution_date=.*\.parquet$/.test(file))
      .map((file) => path.join(zone, file)),
  );
  return new Map(
    files.map((file) => [
      file,
      createHash("sha256")
        .update(readFileSync(path.join(folder, contender, file)))
        .digest("hex"),
    ]),
  );
}

function summaryOf(backfill, singles) {
  const dates = Number(options.dates);
  const sumOf = (key) => (singles.reduce((sum, one) => sum + one[key], 0) * dates) / singles.length;
  const { seconds: median, peak_megabytes: peak, processor_seconds: processor } = mediansOf(singles);
  return {
    dates,
    rows: Number(options.rows),
    max_parallel: Number(options["max-parallel"]),
    singles_measured: singles.length,
    node: process.version,
    cores: os.availableParallelism(),
    ratio: rounded(backfill.seconds / sumOf("seconds"), 3),
    processor_ratio: rounded(backfill.processorSeconds / sumOf("processorSeconds"), 3),
    single_run: { seconds: median, processor_seconds: processor },
    contenders: [
      { name: "backfill", ...mediansOf([backfill]) },
      {
        name: "single runs",
        seconds: rounded(sumOf("seconds"), 3),
        processor_seconds: rounded(sumOf("processorSeconds"), 2),
        peak_megabytes: peak,
        rounds: singles.map(({ seconds }) => rounded(seconds, 3)),
      },
    ],
  };
}

function textOf({ contenders, single_run: single, ...summary }) {
  const { dates, rows, max_parallel, singles_measured, node, cores, ratio, processor_ratio } = summary;
  const [backfill] = contenders;
  const multiplied =
    singles_measured === dates
      ? ""
      : `; ${singles_measured} single runs are measured, times ${dates / singles_measured}`;
  const perDate = backfill.seconds / dates;
  return [
    `${dates} dates over ${rows} rows, ${max_parallel} at a time, whole processes; Node ${node}, ${cores} cores${multiplied}`,
    ...contenders.map(({ name, seconds, processor_seconds, peak_megabytes }) =>
      [
        name.padEnd(12),
        `${seconds.toFixed(2)} s`.padStart(10),
        `${processor_seconds.toFixed(2)} s of CPU`.padStart(18),
        `${peak_megabytes ?? "?"} MB`.padStart(9),
      ].join(" "),
    ),
    `backfill / single runs: ${ratio.toFixed(2)} by time, ${processor_ratio.toFixed(2)} by CPU`,
    `a date of the backfill takes ${perDate.toFixed(2)} s, ${Math.round((100 * perDate) / single.seconds)} % of a single run of ${single.seconds.toFixed(2)} s`,
  ].join("\n");
}
