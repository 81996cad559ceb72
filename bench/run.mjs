// A whole run beside a bare DuckDB script that reads and writes the same, process against process, in turn.
//   node bench/run.mjs [--raw FILE] [--date 2018-07-31] [--rows 285570] [--rounds 5] [--s3 s3://bucket/prefix]
// With --s3 both read and write there, with the endpoint and the keys of the AWS_* variables.
// Without --raw it makes a raw file with the project's own generator. The script runs in the duckdb command line where
// DUCKDB_CLI names it, else in a bare Node process.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { DuckDBInstance } from "@duckdb/node-api";
import { openPlace } from "./places.mjs";

const { values: options } = parseArgs({
  options: {
    raw: { type: "string" },
    date: { type: "string", default: "2020-05-29" },
    rows: { type: "string", default: "285570" },
    rounds: { type: "string", default: "5" },
    s3: { type: "string" },
  },
});
const project = path.resolve(import.meta.dirname, "..");
const main = path.join(project, "dist/cli/main.js");
const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const location = options.s3 ?? folder;
const place = openPlace(location);
const partitionKey = `${options.date}T000000`;

try {
  await compare();
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function compare() {
  for (const name of ["raw", "bare"]) await place.empty(name);
  await putRaw();

  const contenders = { pipeline: runPipeline, bare: bareContender() };
  const seconds = { pipeline: [], bare: [] };
  for (let round = 0; round <= Number(options.rounds); round++) {
    for (const [name, run] of Object.entries(contenders)) {
      const taken = await run();
      // The first round warms up the disk cache.
      if (round > 0) seconds[name].push(taken);
    }
  }
  await assertSameAnswers();
  for (const [name, taken] of Object.entries(seconds)) {
    const rounds = taken.map((second) => second.toFixed(2)).join(" ");
    console.log(`${name.padEnd(8)}  median ${median(taken).toFixed(2)} s  rounds ${rounds}`);
  }
  console.log(`ratio of the medians: ${(median(seconds.pipeline) / median(seconds.bare)).toFixed(2)}`);
}

/** The bare script reads Parquet only, so the run beside it does, too. */
async function putRaw() {
  const sample = path.join(folder, "sample");
  if (options.raw === undefined)
    execute(process.execPath, [main, "sample", "--rows", options.rows, "--out", sample]);
  const isParquet = (name) => name.endsWith(".parquet");
  const files =
    options.raw === undefined
      ? readdirSync(sample)
          .filter(isParquet)
          .map((name) => path.join(sample, name))
      : [options.raw];
  for (const [index, file] of files.entries()) await place.put(file, `raw/vouchers/${index}.parquet`);
}

async function runPipeline() {
  // Each round begins with empty zones and no database.
  for (const name of ["curated", "provision"]) await place.empty(name);
  for (const name of ["c.db", "c.db-wal", "c.db-shm"]) rmSync(path.join(folder, name), { force: true });
  return execute(process.execPath, [main, "-e", options.date], {
    RAW_ZONE: `${location}/raw`,
    CURATED_ZONE: `${location}/curated`,
    PROVISION_ZONE: `${location}/provision`,
    RUN_REPORTS: `${location}/runs`,
    CONSUMPTION_URL: `sqlite:${path.join(folder, "c.db")}`,
  });
}

function bareContender() {
  const variables =
    `${place.prelude}SET VARIABLE raw = '${location}/raw/vouchers/*'; SET VARIABLE out = '${location}/bare'; ` +
    `SET VARIABLE execution_date = TIMESTAMP '${options.date}'; SET VARIABLE partition_key = '${partitionKey}';`;
  const script = path.join(project, "bench/bare.sql");
  const { DUCKDB_CLI: cli } = process.env;
  if (cli !== undefined) return () => execute(cli, ["-c", variables, "-f", script]);
  const program =
    'import { DuckDBInstance } from "@duckdb/node-api"; import { readFileSync } from "node:fs";' +
    'const connection = await (await DuckDBInstance.create(":memory:")).connect();' +
    "await connection.run(process.argv[1] + readFileSync(process.argv[2], 'utf8'));";
  return () => execute(process.execPath, ["--input-type=module", "-e", program, variables, script]);
}

/** Runs a process to its end, and gives the seconds it took. */
function execute(command, args, environment = {}) {
  const started = performance.now();
  const { status, stderr } = spawnSync(command, args, {
    cwd: project,
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr}`);
  return (performance.now() - started) / 1000;
}

async function assertSameAnswers() {
  const connection = await (await DuckDBInstance.create(":memory:")).connect();
  if (place.prelude !== "") await connection.run(place.prelude);
  for (const table of ["voucher_frequent_most_used", "voucher_recency_most_used"]) {
    const ours = `${location}/provision/${table}/execution_date=${partitionKey}/data.parquet`;
    const bare = `${location}/bare/${table}.parquet`;
    const from = (file) => `SELECT * FROM read_parquet('${file}', hive_partitioning = false)`;
    const different = await connection.runAndReadAll(
      `SELECT count(*) FROM ((${from(ours)} EXCEPT ALL ${from(bare)}) UNION ALL (${from(bare)} EXCEPT ALL ${from(ours)}))`,
    );
    if (Number(different.getRowsJson()[0][0]) !== 0) throw new Error(`${table} differs`);
  }
}

function median(numbers) {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
