// Types, lint and format beside the tests:
//   node test/everything.mjs [argument of jest …]
// Tests often wait for what they have started; the other checks take the time that is left, and so cost little of it.
import { spawn } from "node:child_process";
import os from "node:os";

/** One after the other within a lane: two beside jest are as much as a small machine has the memory for. */
const LANES = [["types", "format:check"], ["lint"]];
const LOWER_PRIORITY = 10;

const failed = [];
const running = new Set();
let isInterrupted = false;
// This process ends after what it has started, so that nothing is left behind.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"])
  process.on(signal, () => {
    isInterrupted = true;
    for (const child of running) child.kill(signal);
  });

const lanes = LANES.map(runLane);
const code = await ended(npm("jest", ["--", ...process.argv.slice(2)], "inherit"));
if (code !== 0) failed.push("jest");
await Promise.all(lanes);
process.stderr.write(
  failed.length === 0
    ? "types, lint, format and tests: all passed\n"
    : `FAILED: ${failed.join(", ")}; npm run ${failed[0]} shows it alone\n`,
);
process.exitCode = failed.length === 0 ? 0 : 1;

async function runLane(names) {
  for (const name of names) if (!isInterrupted) await check(name);
}

/** Runs a script, and says at once how it has ended; what it has printed counts only if it fails. */
async function check(name) {
  const script = npm(name, [], "pipe");
  os.setPriority(script.pid, LOWER_PRIORITY);
  let printed = "";
  for (const stream of [script.stdout, script.stderr])
    stream.setEncoding("utf8").on("data", (text) => (printed += text));
  if ((await ended(script)) === 0) {
    process.stderr.write(`${name}: passed\n`);
    return;
  }
  failed.push(name);
  process.stderr.write(`${printed}FAILED: ${name}\n`);
}

function npm(script, args, output) {
  const child = spawn("npm", ["run", "--silent", script, ...args], { stdio: ["inherit", output, output] });
  running.add(child);
  child.once("close", () => running.delete(child));
  return child;
}

function ended(child) {
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stderr.write(`${error.message}\n`);
      resolve(127);
    });
    child.once("close", (exitCode) => resolve(exitCode ?? 1));
  });
}
