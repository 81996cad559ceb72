// A server in a process of its own: started, awaited, measured and ended.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";

const START_MILLISECONDS = 30_000;
const ASK_AGAIN_MILLISECONDS = 50;
const TELLS_ADDRESS = /(?:listening|running) on (http:\/\/127\.0\.0\.1:\d+)(?=["\s])/;
/** Linux counts the time of a process in hundredths of a second, on every machine. */
const TICKS_PER_SECOND = 100;

/**
 * Starts a server and waits until it tells its address. It is to choose a free port itself.
 * @param logFile takes what the server writes, as a log does; a pipe would cost the reader's time.
 */
export async function startServer(command, args, { cwd, environment = {}, logFile }) {
  const log = openSync(logFile, "w");
  const server = spawn(command, args, {
    cwd,
    env: { ...process.env, HOST: "127.0.0.1", PORT: "0", ...environment },
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const ended = once(server, "exit");
  const stop = async () => {
    server.kill("SIGTERM");
    await ended;
  };
  try {
    const url = await Promise.race([addressFrom(logFile), ended.then(() => undefined)]);
    if (url === undefined) throw new Error(`${command} does not serve:\n${readFileSync(logFile, "utf8")}`);
    return { url, pid: server.pid, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function addressFrom(logFile) {
  for (const end = performance.now() + START_MILLISECONDS; performance.now() < end;) {
    const address = TELLS_ADDRESS.exec(readFileSync(logFile, "utf8"))?.[1];
    if (address !== undefined) return address;
    await delay(ASK_AGAIN_MILLISECONDS);
  }
  return undefined;
}

/** The seconds of processor time that a process has used, in all its threads. */
export function processorSeconds(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name of the program comes second, in parentheses, and may hold blanks.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = fields.slice(11, 13).map(Number);
  return (user + system) / TICKS_PER_SECOND;
}

/** The most memory that a process has ever held, in bytes. */
export function peakMemory(pid) {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(kibibytes) * 1024;
}
