// Runs a process to its end, and tells how long it took, and what of the machine it and its children took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { clearInterval, setInterval } from "node:timers";

const LOOK_MILLISECONDS = 20;
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;

/**
 * @returns seconds; processor seconds, and peak resident bytes, looked at every 20 ms, undefined where there is no /proc; and what it
 * said to standard output.
 * @throws where it does not end with 0.
 */
export async function measured(command, args, environment = {}) {
  const child = spawn(command, args, {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const started = performance.now();
  let output = "";
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (said += text));
  let peakBytes;
  let processorSeconds;
  const look = setInterval(() => {
    const taken = takenBy(child.pid);
    peakBytes = highest(peakBytes, taken?.bytes);
    processorSeconds = highest(processorSeconds, taken?.seconds);
  }, LOOK_MILLISECONDS);
  const [status] = await once(child, "close");
  clearInterval(look);
  const seconds = (performance.now() - started) / 1000;
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${said.slice(-4000)}`);
  return { seconds, processorSeconds, peakBytes, output };
}

function highest(a, b) {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.max(a, b);
}

/** By a process and all in its group, as a JVM that a Python process starts, and by those of them that have ended. */
function takenBy(group) {
  let taken;
  for (const pid of processes()) {
    try {
      // The name of a program can hold blanks and parentheses; what follows the last one is fields.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")
        .map(Number);
      if (fields[2] !== group) continue;
      const ticks = fields.slice(11, 15).reduce((sum, more) => sum + more);
      taken = {
        bytes: (taken?.bytes ?? 0) + fields[21] * PAGE_BYTES,
        seconds: (taken?.seconds ?? 0) + ticks / TICKS_PER_SECOND,
      };
    } catch (error) {
      // It has ended since it was listed.
      if (!["ENOENT", "ESRCH"].includes(error.code)) throw error;
    }
  }
  return taken;
}

function processes() {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch (error) {
    if (error.code === "ENOENT") return [];
    throw error;
  }
}
