// A whole run beside what a person would use without the pipeline, process against process, in turn.
//   node bench/run.mjs [--rows 285570 | --raw FILE --date 2018-07-31] [--rounds 5] [--contenders pipeline,bare,…]
//                      [--s3 s3://bucket/prefix] [--save NAME]
// Without --raw it makes raw files with the project's own generator. With --s3 all read and write there, with the endpoint and the
// keys of the AWS_* variables. --save writes bench/results/NAME.json and a chart beside it.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { contendersOf } from "./contenders.mjs";
import { measured } from "./measured-process.mjs";
import { openPlace } from "./places.mjs";
import { barChart, saveResults, summaryText, summaryOf } from "./results.mjs";
import { assertSameAnswers } from "./same-answers.mjs";

const { values: options } = parseArgs({
  options: {
    raw: { type: "string" },
    date: { type: "string", default: "2020-05-29" },
    rows: { type: "string", default: "285570" },
    rounds: { type: "string", default: "5" },
    contenders: { type: "string", default: "pipeline,bare,bare-unordered,dbt,spark" },
    s3: { type: "string" },
    save: { type: "string" },
  },
});
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const location = options.s3 ?? folder;
const place = openPlace(location);

try {
  await compare();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare() {
  await place.empty("raw");
  await putRaw();
  const contenders = chosen(contendersOf({ date: options.date, folder, location, place }));
  const rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [name, { run }] of Object.entries(contenders)) {
      const taken = await run();
      // The first round warms up the disk cache.
      if (round > 0) rounds[name].push(taken);
    }
  }
  await assertSameAnswers(place, contenders);
  const facts = {
    rows: options.raw === undefined ? Number(options.rows) : path.basename(options.raw),
    where: options.s3 === undefined ? "folders" : "S3",
    node: process.version,
    cores: os.availableParallelism(),
  };
  const summary = summaryOf(facts, rounds);
  console.log(summaryText(summary));
  if (options.save !== undefined) {
    const title = `${summary.rows} rows in ${summary.where}: seconds and peak memory, medians`;
    saveResults(options.save, summary, barChart(title, summary.contenders));
  }
}

function chosen(contenders) {
  return Object.fromEntries(
    options.contenders.split(",").flatMap((name) => {
      const contender = contenders[name];
      if (contender === undefined) throw new Error(`there is no contender ${name}`);
      if (contender.missing === undefined) return [[name, contender]];
      console.log(`left out: ${name}: ${contender.missing}`);
      return [];
    }),
  );
}

/** The bare script reads Parquet only, so all others do, too. */
async function putRaw() {
  const sample = path.join(folder, "sample");
  if (options.raw === undefined) {
    const main = path.join(import.meta.dirname, "../dist/cli/main.js");
    await measured(process.execPath, [main, "sample", "--rows", options.rows, "--out", sample]);
  }
  const files =
    options.raw === undefined
      ? readdirSync(sample)
          .filter((name) => name.endsWith(".parquet"))
          .map((name) => path.join(sample, name))
      : [options.raw];
  for (const [index, file] of files.entries()) await place.put(file, `raw/vouchers/${index}.parquet`);
}
