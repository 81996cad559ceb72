// Runs a process to its end, and tells how long it took and how much memory it and its children held at the most.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { clearInterval, setInterval } from "node:timers";

const LOOK_MILLISECONDS = 20;
const PAGE_BYTES = 4096;

/**
 * @returns seconds, and peak resident bytes, looked at every 20 ms; undefined where there is no /proc.
 * @throws where it does not end with 0.
 */
export async function measured(command, args, environment = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "ignore", "pipe"],
    detached: true,
  });
  const started = performance.now();
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  let peak;
  const look = setInterval(() => (peak = highest(peak, residentBytes(child.pid))), LOOK_MILLISECONDS);
  const [status] = await once(child, "close");
  clearInterval(look);
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${said.slice(-4000)}`);
  return { seconds, peakBytes: peak };
}

function highest(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

/** Of a process and of all in its group, as a JVM that a Python process starts. */
function residentBytes(group) {
  let sum;
  for (const pid of processes()) {
    try {
      // The name of a program can hold blanks and parentheses; what follows the last one is fields.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ");
      if (Number(fields[2]) === group) sum = (sum ?? 0) + Number(fields[21]) * PAGE_BYTES;
    } catch (error) {
      // It has ended since it was listed.
      if (!["ENOENT", "ESRCH"].includes(error.code)) throw error;
    }
  }
  return sum;
}

function processes() {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}
