// How the time and the memory of a whole run grow with the rows, the files or the countries of what it reads:
//   npm run bench:growth -- [--rows 0.5,1,5,10] [--files 1,100,5000] [--countries 4,250,50000]
//                           [--spelling feed] [--bare] [--memory 1GB] [--rounds 3] [--save NAME]
// Rows are in millions. What is not said is as the project's own generator has it, over a million rows. One of the three may have
// several values, and is what grows. With --bare the bare script runs beside each, and must make the same rows.
// --memory is the limit of DuckDB's memory, in both. --save writes bench/results/NAME.json and a chart. TMPDIR names where the files
// go: for a hundred million rows 10 GB.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { contendersOf } from "./contenders.mjs";
import { growthChart, growthText } from "./growth-results.mjs";
import { openPlace } from "./places.mjs";
import { makeSample, spelled } from "./raw-files.mjs";
import { mediansOf, rounded, saveResults } from "./results.mjs";
import { assertAccounted, assertSameAnswers } from "./same-answers.mjs";

const MILLION = 1_000_000;
const DATE = "2020-05-29";

const { values: options } = parseArgs({
  options: {
    rows: { type: "string" },
    files: { type: "string" },
    countries: { type: "string" },
    bare: { type: "boolean", default: false },
    spelling: { type: "string", default: "feed" },
    memory: { type: "string" },
    rounds: { type: "string", default: "3" },
    save: { type: "string" },
  },
});

const asked = Object.entries({ rows: options.rows, files: options.files, countries: options.countries })
  .filter(([, values]) => values !== undefined)
  .map(([name, values]) => [name, values.split(",").map(numberOf)]);
const growing = asked.filter(([, values]) => values.length > 1);
if (growing.length > 1)
  throw new Error(`only one can grow at a time: ${growing.map(([name]) => name).join(" or ")}`);
const [[axis, values] = ["rows", [0.5, 1]]] = [...growing, ...asked];
const fixed = { rows: 1, ...Object.fromEntries(asked.map(([name, [value]]) => [name, value])) };

const points = [];
for (const value of values) points.push(await pointOf({ ...fixed, [axis]: value }));
const summary = {
  axis,
  spelling: options.spelling,
  memory_limit: options.memory ?? null,
  node: process.version,
  cores: os.availableParallelism(),
  points,
};
console.log(growthText(summary));
if (options.save !== undefined) saveResults(options.save, summary, growthChart(summary));

function numberOf(text) {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`"${text}" is no number above 0`);
  return number;
}

/** Runs over a sample of a size, each contender in its turn, and tells the medians of what it took. */
async function pointOf({ rows: millions, files, countries }) {
  const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
  try {
    const sampleFolder = path.join(folder, "sample");
    const sample = await makeSample(sampleFolder, { rows: Math.round(millions * MILLION), files, countries });
    await spelled(sample.files, options.spelling, path.join(folder, "raw/vouchers"));
    rmSync(sampleFolder, { recursive: true });
    const size = { rows: sample.rows, files: sample.files.length, countries: countries ?? 4 };
    const place = openPlace(folder);
    const { pipeline, bare } = contendersOf({
      date: DATE,
      folder,
      location: folder,
      place,
      spelling: options.spelling,
      memory: options.memory,
    });
    const contenders = options.bare ? { pipeline, bare } : { pipeline };
    const rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    for (let round = 0; round < Number(options.rounds); round++) {
      for (const [name, { run }] of Object.entries(contenders)) rounds[name].push(await run());
    }
    for (const { output } of rounds.pipeline) await assertAccounted(size.rows, JSON.parse(output));
    await assertSameAnswers(place, contenders);
    return {
      ...size,
      contenders: Object.entries(rounds).map(([name, taken]) => ({
        name,
        seconds_per_million_rows: rounded((mediansOf(taken).seconds * MILLION) / size.rows, 3),
        ...mediansOf(taken),
      })),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
