// Who is measured: this project's api, and the servers beside it.
import { execFileSync } from "node:child_process";
import path from "node:path";
import { startServer } from "./server-process.mjs";
import { publishSample, startApi } from "./voucher-api.mjs";

const here = import.meta.dirname;

/**
 * Starts all contenders, adds each to `servers` as soon as it serves, and has them answer from one publication.
 * @param mysqlUrl an empty database; undefined leaves out who needs one.
 */
export async function startContenders(folder, mysqlUrl, servers) {
  const add = async (name, start) => {
    const logFile = path.join(folder, `${name}.log`);
    servers.push({ name, ...(await start(logFile)) });
  };
  const sqliteUrl = `sqlite:${path.join(folder, "consumption.db")}`;
  publishSample(folder, sqliteUrl);
  await add("ours", (logFile) => startApi(folder, logFile, sqliteUrl));
  if (mysqlUrl !== undefined) {
    publishSample(folder, mysqlUrl);
    await add("ours on MySQL", (logFile) => startApi(folder, logFile, mysqlUrl));
  }
  for (const [name, file] of [
    ["bare Express", "express.mjs"],
    ["bare node:http", "node-http.mjs"],
  ]) {
    const program = path.join(here, "contenders", file);
    await add(name, (logFile) => startServer(process.execPath, [program], { cwd: folder, logFile }));
  }
  if (mysqlUrl !== undefined) await add("original", (logFile) => startOriginal(folder, logFile, mysqlUrl));
}

/** One worker of uvicorn, with the access log that it writes by itself. */
function startOriginal(folder, logFile, mysqlUrl) {
  const setUp = execFileSync(path.join(here, "setup.sh"), {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  const uvicorn = path.join(setUp.trim(), "uvicorn");
  const args = ["--app-dir", path.join(here, "contenders"), "--port", "0", "original:app"];
  return startServer(uvicorn, args, {
    cwd: folder,
    environment: {
      CONSUMPTION_URL: mysqlUrl,
      SEGMENTS_FILE: path.resolve(here, "../../sql/v1/segments.json"),
      PYTHONDONTWRITEBYTECODE: "1",
    },
    logFile,
  });
}
