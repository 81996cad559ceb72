// Runs a command beside servers of its own, which end with it; with --spark beside a Spark cluster, too:
//   node test/services/run.mjs [--spark] -- npm run jest
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { startCluster } from "../scaleout/cluster.mjs";
import { servicesDirectory, startMariadb, startMinio, startMysql } from "./servers.mjs";

const words = process.argv.slice(2);
const withSpark = words[0] === "--spark";
const [separator, program, ...args] = withSpark ? words.slice(1) : words;
let command;
let interruptedBy;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, interrupt);
try {
  if (separator !== "--" || program === undefined)
    throw new Error("usage: node test/services/run.mjs [--spark] -- command [argument …]");
  process.exitCode = await runBesideServers();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

async function runBesideServers() {
  const folder = await mkdtemp(path.join(os.tmpdir(), "voucher-pipeline-services-"));
  const running = [];
  try {
    const environment = await startServers(folder, running);
    return interruptedBy === undefined ? await runCommand(environment) : codeOf(interruptedBy);
  } finally {
    // Their data goes, too: there is nothing that they would have to write first.
    await Promise.all(running.map((server) => server.stop("SIGKILL")));
    await rm(folder, { recursive: true, force: true });
  }
}

/** Starts all servers, adds those that came up to `running`, and gives the environment that names them. */
async function startServers(folder, running) {
  const start = async (name, starter) => {
    const server = await starter({ directory: path.join(folder, name) });
    running.push(server);
    return server;
  };
  const minioStart = start("minio", startMinio);
  const starts = [minioStart, start("mysql", startMysql), start("mariadb", startMariadb)];
  if (withSpark)
    starts.push(minioStart.then((s3) => start("spark", (options) => startCluster({ ...options, s3 }))));
  // When one fails, the others are still on their way, and have to be up before they can be stopped.
  await Promise.allSettled(starts);
  const [minio, mysql, mariadb, spark] = await Promise.all(starts);
  const directory = servicesDirectory();
  return {
    TEST_S3_ENDPOINT: minio.endpoint,
    TEST_S3_ACCESS_KEY_ID: minio.credentials.accessKeyId,
    TEST_S3_SECRET_ACCESS_KEY: minio.credentials.secretAccessKey,
    TEST_MYSQL_URL: mysql.url,
    TEST_MARIADB_URL: mariadb.url,
    ...(spark === undefined ? {} : sparkEnvironment(spark)),
    TEST_SERVICES_DIRECTORY: directory,
    TEST_DUCKDB_CLI: path.join(directory, "bin/duckdb"),
    DUCKDB_EXTENSION_DIRECTORY: path.join(directory, "extensions"),
  };
}

function sparkEnvironment({ port, driverPort }) {
  return { TEST_SPARK_URL: `spark://127.0.0.1:${port}`, TEST_SPARK_DRIVER_PORT: String(driverPort) };
}

function runCommand(environment) {
  return new Promise((resolve) => {
    command = spawn(program, args, {
      stdio: "inherit",
      // A process group of its own, so that a signal reaches all that the command has started, once.
      detached: true,
      env: { ...process.env, ...environment },
    });
    const end = (code) => {
      command = undefined;
      resolve(code);
    };
    command.once("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      end(127);
    });
    command.once("exit", (code, signal) => end(code ?? codeOf(signal)));
  });
}

/** Passes the signal on; the servers stop when the command has ended. */
function interrupt(signal) {
  interruptedBy ??= signal;
  if (command !== undefined) process.kill(-command.pid, signal);
}

/** The exit code by which a shell names a signal. */
function codeOf(signal) {
  return 128 + os.constants.signals[signal];
}
