// Real Sparks for tests: a cluster of processes on loopback ports, and servers that speak HiveServer2's protocol in front of it.
// cluster.d.mts says what each function promises.
import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { freePort, isOpen, servicesDirectory, startServer } from "../services/servers.mjs";

const HOST = "127.0.0.1";
/** Java takes its time, most of all beside other tests. */
const STARTUP_LIMIT_MS = 180_000;
/** Without the compiler that optimises, a JVM of tests is up sooner, and smaller; what it computes takes twice as long. */
const JITS = { normal: "-XX:+UseSerialGC", small: "-XX:+UseSerialGC -XX:TieredStopAtLevel=1" };

export async function startCluster({ directory, s3, jit = "small" }) {
  const running = [];
  const stop = async () => {
    // The server first: with it its executors go.
    for (const server of running.toReversed()) await server.stop("SIGKILL");
  };
  const start = async (starting) => {
    const server = await starting;
    running.push(server);
    return server;
  };
  try {
    const master = await start(startMaster(path.join(directory, "master")));
    const workers = [1, 2].map((number) =>
      start(startWorker(path.join(directory, `worker-${number}`), master)),
    );
    const server = start(
      startThriftServer({ directory: path.join(directory, "thrift-server"), s3, master: master.url, jit }),
    );
    await Promise.allSettled([...workers, server]);
    await Promise.all(workers);
    return { ...(await server), master: master.url, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startMaster(directory) {
  const port = await freePort();
  const args = ["--host", HOST, "--port", String(port), "--webui-port", "0"];
  const server = await startClass({
    directory,
    args: ["org.apache.spark.deploy.master.Master", ...args],
    port,
  });
  return { ...server, url: `spark://${HOST}:${port}` };
}

async function startWorker(directory, master) {
  const port = await freePort();
  const args = [
    "-c",
    "1",
    "-m",
    "1024m",
    "-d",
    directory,
    "--host",
    HOST,
    "--port",
    String(port),
    "--webui-port",
    "0",
  ];
  return startClass({
    directory,
    args: ["org.apache.spark.deploy.worker.Worker", ...args, master.url],
    port,
  });
}

export async function startThriftServer(options) {
  const {
    directory,
    s3,
    master = "local[1]",
    port = await freePort(),
    hive = {},
    properties = {},
    classes = [],
    jit = "small",
  } = options;
  const driverPort = await freePort();
  const libraries = [...(await jarsForS3()), ...classes].join(":");
  const settings = {
    "spark.master": master,
    "spark.driver.host": HOST,
    "spark.driver.bindAddress": HOST,
    "spark.driver.port": driverPort,
    "spark.driver.extraClassPath": libraries,
    "spark.driver.extraJavaOptions": JITS[jit],
    "spark.executor.memory": "640m",
    "spark.executor.cores": 1,
    "spark.executor.extraClassPath": libraries,
    "spark.executor.extraJavaOptions": JITS[jit],
    "spark.cores.max": 2,
    "spark.local.dir": directory,
    "spark.sql.warehouse.dir": path.join(directory, "warehouse"),
    "spark.sql.shuffle.partitions": 4,
    "spark.sql.catalogImplementation": "in-memory",
    "spark.ui.enabled": false,
    "spark.hadoop.fs.s3a.endpoint": s3.endpoint,
    "spark.hadoop.fs.s3a.endpoint.region": "us-east-1",
    "spark.hadoop.fs.s3a.path.style.access": true,
    "spark.hadoop.fs.s3a.access.key": s3.credentials.accessKeyId,
    "spark.hadoop.fs.s3a.secret.key": s3.credentials.secretAccessKey,
    ...properties,
  };
  const ofHive = {
    "hive.server2.thrift.port": port,
    "hive.server2.thrift.http.port": port,
    "hive.server2.thrift.bind.host": HOST,
    // It wants a metastore for each session, and uses none.
    "javax.jdo.option.ConnectionURL": "jdbc:derby:memory:;databaseName=metastore;create=true",
    "hive.exec.local.scratchdir": path.join(directory, "scratch"),
    "hive.server2.logging.operation.enabled": false,
    ...hive,
  };
  await mkdir(directory, { recursive: true });
  const configuration = path.join(directory, "spark-defaults.conf");
  // It holds keys.
  await writeFile(configuration, lines(settings), { mode: 0o600 });
  const server = await startClass({
    directory,
    args: [
      "org.apache.spark.deploy.SparkSubmit",
      ...["--class", "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"],
      ...["--properties-file", configuration, "spark-internal"],
      ...Object.entries(ofHive).flatMap(([name, value]) => ["--hiveconf", `${name}=${value}`]),
    ],
    port,
    memory: "768m",
    jit,
  });
  return { ...options, ...server, port, driverPort };
}

function lines(properties) {
  return Object.entries(properties)
    .map(([name, value]) => `${name} ${value}\n`)
    .join("");
}

async function startClass({ directory, args, port, memory = "256m", jit = "small" }) {
  await mkdir(directory, { recursive: true });
  return startServer({
    directory,
    program: path.join(home(), "bin/spark-class"),
    args,
    environment: {
      SPARK_HOME: home(),
      SPARK_LOCAL_IP: HOST,
      SPARK_CONF_DIR: directory,
      SPARK_DAEMON_MEMORY: memory,
      SPARK_DAEMON_JAVA_OPTS: JITS[jit],
      SPARK_LOCAL_DIRS: directory,
    },
    isReady: () => isOpen(port),
    limitMs: STARTUP_LIMIT_MS,
  });
}

export async function compileJava(source, directory) {
  await mkdir(directory, { recursive: true });
  await promisify(execFile)("javac", ["-cp", path.join(home(), "jars/*"), "-d", directory, source]);
  return directory;
}

function home() {
  return path.join(servicesDirectory(), "spark/home");
}

async function jarsForS3() {
  const folder = path.join(servicesDirectory(), "spark/s3a");
  const names = await readdir(folder).catch(() => {
    throw new Error(`${folder} is not there: run test/scaleout/install.sh`);
  });
  return names.filter((name) => name.endsWith(".jar")).map((name) => path.join(folder, name));
}

export async function executorsOf(driverPort) {
  const processes = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const commands = await Promise.all(
    // A process may have ended meanwhile.
    processes.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  // Each is told where its server is.
  const isExecutor = (command) =>
    command.includes("CoarseGrainedExecutorBackend") && command.includes(`@${HOST}:${driverPort}\0`);
  return processes.filter((_, index) => isExecutor(commands[index])).map(Number);
}
