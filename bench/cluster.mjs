// What a run takes on a Spark cluster, in processor seconds, beside the same run with DuckDB alone:
//   npm run bench:cluster -- [--rows 1,5] [--jit normal|small] [--rounds 2] [--spelling feed] [--save NAME]
// Rows are in millions. The cluster is that of the tests: a master, two workers of one core and a Thrift Server, beside a MinIO, all on
// this machine. Processor seconds are those of the JVMs, from /proc, so that other work on the machine does not count. The first run of
// all warms the JVMs, and is not told. --jit small is how the tests start their JVMs: without the compiler that optimises.
// Needs test/services/install.sh and test/scaleout/install.sh.
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { executorsOf, startCluster } from "../test/scaleout/cluster.mjs";
import { servicesDirectory, startMinio } from "../test/services/servers.mjs";
import { measured } from "./measured-process.mjs";
import { openPlace } from "./places.mjs";
import { makeSample, spelled } from "./raw-files.mjs";
import { rounded, saveJson } from "./results.mjs";

const MILLION = 1_000_000;
const DATE = "2020-05-29";
const TICKS_PER_SECOND = 100;
/** All raw vouchers are typed then, and nothing else is done. */
const TYPED = "raw.vouchers: built";
const project = path.resolve(import.meta.dirname, "..");

const { values: options } = parseArgs({
  options: {
    rows: { type: "string", default: "1,5" },
    jit: { type: "string", default: "normal" },
    rounds: { type: "string", default: "2" },
    spelling: { type: "string", default: "feed" },
    save: { type: "string" },
  },
});
if (!["normal", "small"].includes(options.jit)) throw new Error("--jit must be normal or small");

const built = spawnSync(process.execPath, ["build.mjs", "--failpoints"], { cwd: project, stdio: "inherit" });
if (built.status !== 0) throw new Error("build.mjs failed");

const folder = mkdtempSync(path.join(os.tmpdir(), "voucher-pipeline-bench-"));
const running = [];
try {
  const s3 = await startMinio({ directory: path.join(folder, "minio") });
  running.push(s3);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: s3.endpoint,
    AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
    AWS_REGION: "us-east-1",
    DUCKDB_EXTENSION_DIRECTORY: path.join(servicesDirectory(), "extensions"),
  });
  const cluster = await startCluster({ directory: path.join(folder, "spark"), s3, jit: options.jit });
  running.push(cluster);
  const sizes = options.rows.split(",").map((millions) => Math.round(Number(millions) * MILLION));
  const points = [];
  for (const [index, rows] of sizes.entries()) {
    points.push(await pointOf(cluster, rows, { isCold: index === 0 }));
    console.error(JSON.stringify(points.at(-1)));
  }
  const summary = { spelling: options.spelling, jit: options.jit, node: process.version, points };
  console.log(JSON.stringify(summary, null, 2));
  if (options.save !== undefined) saveJson(options.save, summary);
} finally {
  for (const server of running.toReversed()) await server.stop("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
}

/** What runs over so many rows take: the medians of all rounds. */
async function pointOf(cluster, rows, { isCold }) {
  const location = `s3://bench-${rows}/lake`;
  const place = openPlace(location);
  await place.empty("raw");
  const sample = await makeSample(path.join(folder, "sample"), { rows });
  const files = await spelled(sample.files, options.spelling, path.join(folder, "raw"));
  for (const file of files) await place.put(file, `raw/vouchers/${path.basename(file)}`);
  const spark = { location, engine: `spark://127.0.0.1:${cluster.port}` };
  if (isCold) await runOn(cluster, spark, place);
  const rounds = [];
  for (let round = 0; round < Number(options.rounds); round++) {
    const whole = await runOn(cluster, spark, place);
    const typing = await typingOn(cluster, spark, place);
    const { seconds, processorSeconds } = await run({ location, engine: "duckdb" }, place);
    // Told at once: on a busy machine a round takes long.
    console.error(`round ${round + 1} over ${rows} rows`, whole, typing, { seconds, processorSeconds });
    rounds.push({
      whole_seconds: whole.seconds,
      whole_executors: whole.executors,
      whole_server: whole.server,
      whole_process: whole.process,
      typing_executors: typing.executors,
      typing_server: typing.server,
      duckdb_seconds: seconds,
      duckdb_processor: processorSeconds,
    });
  }
  return { rows: sample.rows, ...mediansOf(rounds), rounds };
}

function mediansOf(rounds) {
  return Object.fromEntries(
    Object.keys(rounds[0]).map((name) => {
      const sorted = rounds.map((round) => round[name]).sort((a, b) => a - b);
      const [low, high] = [Math.ceil(sorted.length / 2) - 1, Math.floor(sorted.length / 2)];
      return [name, rounded((sorted[low] + sorted[high]) / 2, 1)];
    }),
  );
}

/** One run: what the cluster takes, and what the process of the run takes. */
async function runOn(cluster, spark, place) {
  const before = await takenBy(cluster);
  const { seconds, processorSeconds } = await run(spark, place);
  const after = await takenBy(cluster);
  return { seconds, process: processorSeconds, ...difference(after, before) };
}

async function run(where, place) {
  await emptied(place);
  const main = path.join(project, "dist/cli/main.js");
  const { seconds, processorSeconds } = await measured(
    process.execPath,
    [main, "-e", DATE, "--json"],
    environmentOf(where),
  );
  return { seconds, processorSeconds };
}

/** What the cluster takes from the start of a run until all raw vouchers are typed. */
async function typingOn(cluster, spark, place) {
  await emptied(place);
  const before = await takenBy(cluster);
  const child = spawn(process.execPath, [path.join(project, "dist-test/cli/main.js"), "-e", DATE], {
    env: { ...process.env, ...environmentOf(spark), TEST_FAILPOINT: TYPED },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  while (!said.includes(`failpoint ${TYPED}\n`)) {
    if (child.exitCode !== null) throw new Error(`the run ended: ${said}`);
    await Promise.race([once(child.stderr, "data"), once(child, "close")]);
  }
  const after = await takenBy(cluster);
  child.kill("SIGKILL");
  await once(child, "close");
  return difference(after, before);
}

async function emptied(place) {
  for (const name of ["curated", "provision"]) await place.empty(name);
  for (const name of ["c.db", "c.db-wal", "c.db-shm"]) rmSync(path.join(folder, name), { force: true });
}

function environmentOf({ location, engine }) {
  return {
    ENGINE: engine,
    RAW_ZONE: `${location}/raw`,
    CURATED_ZONE: `${location}/curated`,
    PROVISION_ZONE: `${location}/provision`,
    RUN_REPORTS: path.join(folder, "runs"),
    CONSUMPTION_URL: `sqlite:${path.join(folder, "c.db")}`,
  };
}

/** Processor seconds of the executors and of the Thrift Server since they started. */
async function takenBy({ pid, driverPort }) {
  const executors = await executorsOf(driverPort);
  return {
    executors: executors.map(secondsOfProcess).reduce((sum, more) => sum + more, 0),
    server: secondsOfProcess(pid),
  };
}

function secondsOfProcess(pid) {
  // The name of a program can hold blanks and parentheses; what follows the last one is fields.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /s, "")
    .split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

function difference(after, before) {
  return { executors: after.executors - before.executors, server: after.server - before.server };
}
