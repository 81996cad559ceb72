// Real servers for tests: each one a process on a loopback port, with everything it writes in one folder.
// servers.d.mts says what each function promises.
/* global AbortSignal, fetch */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import os from "node:os";
import path from "node:path";
import { setTimeout } from "node:timers/promises";

const HOST = "127.0.0.1";
const STARTUP_LIMIT_MS = 60_000;
const PROBE_LIMIT_MS = 1_000;
const PROBE_INTERVAL_MS = 50;

export function servicesDirectory() {
  const { TEST_SERVICES_DIRECTORY, VOUCHER_PIPELINE_CACHE, XDG_CACHE_HOME } = process.env;
  return (
    TEST_SERVICES_DIRECTORY ||
    VOUCHER_PIPELINE_CACHE ||
    path.join(XDG_CACHE_HOME || path.join(os.homedir(), ".cache"), "voucher-pipeline")
  );
}

export async function startMinio(options) {
  const { directory, port = await freePort(), credentials = s3Credentials() } = options;
  const data = path.join(directory, "data");
  const endpoint = `http://${HOST}:${port}`;
  await mkdir(data, { recursive: true });
  const server = await startServer({
    directory,
    program: path.join(servicesDirectory(), "bin/minio"),
    args: ["server", data, "--address", `${HOST}:${port}`],
    environment: {
      MINIO_ROOT_USER: credentials.accessKeyId,
      MINIO_ROOT_PASSWORD: credentials.secretAccessKey,
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    },
    isReady: () => answers(`${endpoint}/minio/health/ready`),
  });
  return { directory, port, credentials, endpoint, ...server };
}

export async function startSeaweedFs(options) {
  const { directory, port = await freePort(), credentials = s3Credentials() } = options;
  const data = path.join(directory, "data");
  const config = path.join(directory, "s3.json");
  const endpoint = `http://${HOST}:${port}`;
  await mkdir(data, { recursive: true });
  const identity = {
    name: "tests",
    credentials: [{ accessKey: credentials.accessKeyId, secretKey: credentials.secretAccessKey }],
    actions: ["Admin", "Read", "Write", "List", "Tagging"],
  };
  await writeFile(config, JSON.stringify({ identities: [identity] }), { mode: 0o600 });
  // By default gRPC has the port of HTTP plus 10,000, which another process may have.
  const ports = ["master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3.grpc"];
  const portFlags = [];
  for (const name of ports) {
    const [server, protocol] = name.split(".");
    portFlags.push(`-${server}.port${protocol === undefined ? "" : ".grpc"}=${await freePort()}`);
  }
  const server = await startServer({
    directory,
    program: path.join(servicesDirectory(), "bin/weed"),
    args: [
      ...["server", `-dir=${data}`, `-ip=${HOST}`, `-ip.bind=${HOST}`, "-filer", "-s3"],
      ...[`-s3.port=${port}`, "-s3.port.iceberg=0", "-s3.port.lance=0", `-s3.config=${config}`, ...portFlags],
      // Each bucket takes some volumes, however small it is.
      ...["-master.volumeSizeLimitMB=256", "-volume.max=1000", "-master.telemetry=false"],
    ],
    isReady: () => answersAtAll(endpoint),
  });
  return { directory, port, credentials, endpoint, ...server };
}

export async function startMoto(options) {
  const { directory, port = await freePort(), credentials = s3Credentials() } = options;
  const endpoint = `http://${HOST}:${port}`;
  await mkdir(directory, { recursive: true });
  const server = await startServer({
    directory,
    program: path.join(servicesDirectory(), "moto/bin/moto_server"),
    args: ["-H", HOST, "-p", String(port)],
    isReady: () => answers(`${endpoint}/moto-api/data.json`),
  });
  return { directory, port, credentials, endpoint, ...server };
}

export async function startS3rver(options) {
  const { directory, port = await freePort() } = options;
  const data = path.join(directory, "data");
  const endpoint = `http://${HOST}:${port}`;
  await mkdir(data, { recursive: true });
  const server = await startServer({
    directory,
    program: path.join(servicesDirectory(), "s3rver/node_modules/.bin/s3rver"),
    args: ["--directory", data, "--address", HOST, "--port", String(port), "--silent"],
    isReady: () => answersAtAll(endpoint),
  });
  // It knows this one account.
  const credentials = { accessKeyId: "S3RVER", secretAccessKey: "S3RVER" };
  return { directory, port, credentials, endpoint, ...server };
}

export async function startNginx(options) {
  const { directory, port = await freePort(), listen = "", site } = options;
  await mkdir(directory, { recursive: true });
  const config = path.join(directory, "nginx.conf");
  const folders = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  await writeFile(
    config,
    `daemon off;
pid ${directory}/pid;
error_log stderr;
events {}
http {
  access_log off;
  ${folders.map((name) => `${name}_temp_path ${directory}/${name};`).join("\n  ")}
  ignore_invalid_headers off;
  server {
    listen ${HOST}:${port} ${listen};
    ${site}
  }
}
`,
  );
  const endpoint = `http://${HOST}:${port}`;
  const server = await startServer({
    directory,
    program: "/usr/sbin/nginx",
    args: ["-p", directory, "-c", config, "-e", "stderr"],
    isReady: () => answersAtAll(endpoint),
  });
  return { directory, port, endpoint, ...server };
}

export function startMysql(options) {
  const program = path.join(servicesDirectory(), "mysql/mysqld");
  return startSqlServer(options, {
    installer: program,
    installerArgs: ["--initialize-insecure"],
    program,
    args: ["--mysqlx=OFF", "--skip-log-bin", "--secure-file-priv=NULL"],
  });
}

export function startMariadb(options) {
  return startSqlServer(options, {
    installer: "/usr/bin/mariadb-install-db",
    installerArgs: ["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db"],
    program: "/usr/sbin/mariadbd",
    args: ["--no-defaults"],
  });
}

async function startSqlServer(options, { installer, installerArgs, program, args }) {
  const { directory, port = await freePort(), credentials = sqlCredentials(), settings = [] } = options;
  const data = path.join(directory, "data");
  const socket = path.join(directory, "socket");
  const accounts = path.join(directory, "accounts.sql");
  // As root, both refuse to run unless told that it is meant.
  const common = [`--datadir=${data}`, ...(process.getuid() === 0 ? ["--user=root"] : [])];

  await mkdir(directory, { recursive: true });
  if (!existsSync(data))
    await runToEnd(directory, installer, [
      ...installerArgs,
      ...common,
      ...settings.filter((one) => one.startsWith("--lower-case")),
    ]);
  await writeFile(accounts, rootAccounts(credentials.password), { mode: 0o600 });
  const server = await startServer({
    directory,
    program,
    args: [
      ...args,
      ...common,
      `--bind-address=${HOST}`,
      `--port=${port}`,
      `--socket=${socket}`,
      `--init-file=${accounts}`,
      "--performance-schema=OFF",
      "--innodb-buffer-pool-size=64M",
      // A commit outlives the process, which is what tests kill, but not the machine.
      "--innodb-flush-log-at-trx-commit=2",
      ...settings,
    ],
    isReady: () => greets(socket),
  });
  const url = `mysql://${credentials.user}:${credentials.password}@${HOST}:${port}/`;
  return { directory, port, credentials, settings, url, ...server };
}

/** One statement a line, as MySQL reads it. A server takes a connection from 127.0.0.1 for either of the two hosts. */
function rootAccounts(password) {
  return [
    "CREATE USER IF NOT EXISTS 'root'@'127.0.0.1';",
    "GRANT ALL ON *.* TO 'root'@'127.0.0.1' WITH GRANT OPTION;",
    ...["localhost", HOST].map((host) => `ALTER USER 'root'@'${host}' IDENTIFIED BY '${password}';`),
    "",
  ].join("\n");
}

function s3Credentials() {
  return { accessKeyId: randomBytes(10).toString("hex"), secretAccessKey: randomBytes(20).toString("hex") };
}

function sqlCredentials() {
  return { user: "root", password: randomBytes(16).toString("hex") };
}

export async function startServer({
  directory,
  program,
  args,
  environment,
  isReady,
  limitMs = STARTUP_LIMIT_MS,
}) {
  const { child, ended, log } = await startProcess(directory, program, args, environment);
  const stop = async (signal = "SIGTERM") => {
    child.kill(signal);
    await ended;
  };
  try {
    await waitUntilReady(child, isReady, limitMs);
  } catch (error) {
    await stop("SIGKILL");
    throw await withLog(error, program, log);
  }
  return { pid: child.pid, log, stop };
}

/** Whether something listens at a port of this machine. */
export async function isOpen(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

async function waitUntilReady(child, isReady, limitMs) {
  const deadline = performance.now() + limitMs;
  while (!(await isReady())) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error("it ended");
    if (performance.now() > deadline) throw new Error(`no answer in ${limitMs / 1000} s`);
    await setTimeout(PROBE_INTERVAL_MS);
  }
}

async function runToEnd(directory, program, args) {
  const { ended, log } = await startProcess(directory, program, args);
  const code = await ended;
  if (code !== 0) throw await withLog(new Error(`it ended with ${code}`), program, log);
}

async function startProcess(directory, program, args, environment = {}) {
  if (!existsSync(program)) throw new Error(`${program} is not there: run test/services/install.sh`);
  const log = path.join(directory, "server.log");
  const output = await open(log, "a");
  // The kernel ends the server with this process, also when this one is killed and cannot. A process group of its own
  // keeps an interrupt from the keyboard away from the server: a test may still need it to clean up.
  const child = spawn("setpriv", ["--pdeathsig", "SIGKILL", program, ...args], {
    detached: true,
    stdio: ["ignore", output.fd, output.fd],
    cwd: directory,
    // Servers read settings from variables and from the home folder, and a MariaDB that starts clears the temporary
    // folder of the tables of any other: so each has neither in common with anyone.
    env: { PATH: process.env.PATH, HOME: directory, TMPDIR: directory, ...environment },
  });
  const ended = new Promise((resolve) => child.once("exit", (code, signal) => resolve(code ?? signal)));
  try {
    await once(child, "spawn");
  } finally {
    await output.close();
  }
  return { child, ended, log };
}

async function withLog(error, program, log) {
  const lines = (await readFile(log, "utf8")).trimEnd().split("\n");
  return new Error(`${program} did not come up: ${error.message}\n${lines.slice(-20).join("\n")}`);
}

async function answers(url) {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) })).ok;
  } catch {
    return false;
  }
}

/** Whether anything answers, even if it refuses. */
async function answersAtAll(url) {
  try {
    await fetch(url, { signal: AbortSignal.timeout(PROBE_LIMIT_MS) });
    return true;
  } catch {
    return false;
  }
}

/**
 * Whether a MySQL or MariaDB greets at its socket, which it does once its port is open, too, and its accounts are made.
 * Not asked at the port: what answers there may be another server, which keeps this one from coming up.
 */
async function greets(socketFile) {
  const socket = connect(socketFile).setTimeout(PROBE_LIMIT_MS);
  const greeted = await new Promise((resolve) => {
    // Behind a header of four bytes comes the version of the protocol, or 255 for an error.
    socket.once("data", (packet) => resolve(packet[4] === 10));
    for (const event of ["error", "timeout", "close"]) socket.once(event, () => resolve(false));
  });
  socket.destroy();
  return greeted;
}

// Below the ports that the kernel gives to outgoing connections, so that none of them takes the port of a server that
// is being started again; and for each process its own, so that two that start servers at once do not collide.
const PORTS_OF_A_PROCESS = 12;
let nextPort = 20_000 + (process.pid % 1_000) * PORTS_OF_A_PROCESS;

export async function freePort() {
  for (;;) {
    const port = nextPort++;
    if (await isFree(port)) return port;
  }
}

async function isFree(port) {
  const server = createServer();
  try {
    await once(server.listen(port, HOST), "listening");
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
