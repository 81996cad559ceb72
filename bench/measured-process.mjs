// Runs a process to its end, and tells how long it took, and what of the machine it and its children took.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { clearInterval, setInterval } from "node:timers";

const LOOK_MILLISECONDS = 20;
const PAGE_BYTES = 4096;
const TICKS_PER_SECOND = 100;
/** The shell knows to the millisecond what a process took that has ended, and all that this one waited for; it tells on descriptor 3. */
const TIMED = `exec 4>&2 2>&3 3>&-; TIMEFORMAT='%R %U %S'; time "$@" 2>&4 4>&-`;

/**
 * @returns seconds; processor seconds of its whole life; peak resident bytes, looked at every 20 ms, undefined where there is no
 * /proc; and what it said to standard output.
 * @throws where it does not end with 0.
 */
export async function measured(command, args, environment = {}) {
  const child = spawn("bash", ["-c", TIMED, "bash", command, ...args], {
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    detached: true,
  });
  const texts = child.stdio.slice(1).map(textOf);
  let peakBytes;
  let lookedSeconds = 0;
  const look = setInterval(() => {
    const taken = takenBy(child.pid);
    if (taken === undefined) return;
    peakBytes = Math.max(peakBytes ?? 0, taken.bytes);
    lookedSeconds = Math.max(lookedSeconds, taken.seconds);
  }, LOOK_MILLISECONDS);
  const [status] = await once(child, "close");
  clearInterval(look);
  const [output, said, times] = texts.map((text) => text());
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${said.slice(-4000)}`);
  const [seconds, user, system] = times.trim().replaceAll(",", ".").split(" ").map(Number);
  // What nobody waited for, as Spark's JVM, has only been looked at.
  return { seconds, processorSeconds: Math.max(user + system, lookedSeconds), peakBytes, output };
}

/** A function that gives all that a stream has said so far. */
function textOf(stream) {
  let text = "";
  stream.setEncoding("utf8").on("data", (more) => (text += more));
  return () => text;
}

/** By all in a group but the shell that leads it, as a JVM that a Python process starts, and by those of them that have ended. */
function takenBy(group) {
  let taken;
  for (const pid of processes()) {
    try {
      // The name of a program can hold blanks and parentheses; what follows the last one is fields.
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
        .replace(/^.*\) /s, "")
        .split(" ")
        .map(Number);
      if (fields[2] !== group || Number(pid) === group) continue;
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
