// A whole run beside what a person would use without the pipeline, process against process, in turn.
//   npm run bench -- [--spelling feed,dates,… | all] [--rows 285570] [--rounds 5] [--contenders pipeline,bare,dbt,spark]
//                    [--raw FILE --date 2018-07-31] [--s3 s3://bucket/prefix] [--save NAME]
// The raw files are made of the project's own sample in each spelling (bench/spellings.sql), or are one Parquet file. With --s3 all
// read and write there, with the endpoint and the keys of the AWS_* variables. --save writes bench/results/NAME.json and a chart.
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { contendersOf } from "./contenders.mjs";
import { openPlace } from "./places.mjs";
import { makeSample, rowsOfParquet, SPELLINGS, spelled } from "./raw-files.mjs";
import { barChart, mediansOf, rounded, saveResults, spellingsText } from "./results.mjs";
import { assertSameAnswers } from "./same-answers.mjs";

const { values: options } = parseArgs({
  options: {
    spelling: { type: "string", default: "feed" },
    raw: { type: "string" },
    date: { type: "string", default: "2020-05-29" },
    rows: { type: "string", default: "285570" },
    rounds: { type: "string", default: "5" },
    contenders: { type: "string", default: "pipeline,bare,dbt,spark" },
    s3: { type: "string" },
    save: { type: "string" },
  },
});
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const location = options.s3 ?? folder;
const place = openPlace(location);

try {
  const spellings = [];
  for await (const raw of rawFiles()) spellings.push(await compare(raw));
  report(spellings);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The files of each spelling in its turn. */
async function* rawFiles() {
  if (options.raw !== undefined) {
    yield { rows: await rowsOfParquet(options.raw), files: [options.raw] };
    return;
  }
  const sample = await makeSample(path.join(folder, "sample"), { rows: Number(options.rows) });
  for (const spelling of options.spelling === "all" ? SPELLINGS : options.spelling.split(",")) {
    const files = await spelled(sample.files, spelling, path.join(folder, "spelled"));
    yield { rows: sample.rows, files, spelling };
  }
}

/** Runs each contender in its turn, and tells the medians of what it took. */
async function compare({ rows, files, spelling }) {
  await place.empty("raw");
  for (const file of files) {
    const name = `${path.basename(file).split(".")[0]}.${spelling === "csv" ? "csv" : "parquet"}`;
    await place.put(file, `raw/vouchers/${name}`);
  }
  const contenders = chosen(
    contendersOf({ date: options.date, folder, location, place, spelling }),
    spelling,
  );
  const rounds = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [name, { run }] of Object.entries(contenders)) {
      const taken = await run();
      // The first round warms up the disk cache.
      if (round > 0) rounds[name].push(taken);
    }
  }
  await assertSameAnswers(place, contenders);
  const measured = Object.entries(rounds).map(([name, taken]) => ({ name, ...mediansOf(taken) }));
  const secondsOf = (wanted) => measured.find(({ name }) => name === wanted)?.seconds ?? NaN;
  const ratio = secondsOf("pipeline") / secondsOf("bare");
  return {
    spelling: spelling ?? path.basename(options.raw),
    rows,
    ...(Number.isNaN(ratio) ? {} : { ratio: rounded(ratio, 2) }),
    contenders: measured,
  };
}

function chosen(contenders, spelling) {
  return Object.fromEntries(
    options.contenders.split(",").flatMap((name) => {
      const contender = contenders[name];
      if (contender === undefined) throw new Error(`there is no contender ${name}`);
      if (contender.missing === undefined) return [[name, contender]];
      console.log(`left out of ${spelling ?? options.raw}: ${name}: ${contender.missing}`);
      return [];
    }),
  );
}

function report(spellings) {
  const where = options.s3 === undefined ? "folders" : "S3";
  const summary = {
    where,
    bare: contendersOf({ date: options.date, folder, location, place }).bare.runsIn,
    node: process.version,
    cores: os.availableParallelism(),
    rounds: Number(options.rounds),
    contenders: [...new Set(spellings.flatMap(({ contenders }) => contenders.map(({ name }) => name)))],
    spellings,
  };
  console.log(spellingsText(summary));
  if (options.save === undefined) return;
  const bars = spellings.flatMap(({ spelling, contenders }) =>
    contenders.map((contender) => ({
      ...contender,
      name: `${spelling}: ${contender.name}`,
      isOurs: contender.name === "pipeline",
    })),
  );
  const title = `${spellings[0].rows.toLocaleString("en")} rows in ${where}: seconds and peak memory, medians`;
  saveResults(options.save, summary, barChart(title, bars));
}
