import { writeSync } from "node:fs";

/** A value instead of the name of one point: every point is reported, and none stops the process. */
const EVERY = "*";
const STANDARD_ERROR = 2;

/**
 * The point at which the process stops, so that a test can kill it there, or stop a service and let the process
 * continue.
 */
let armed = process.env["TEST_FAILPOINT"];

/**
 * A point of a run at which the state for readers is about to change or has just changed. If it is armed, it prints
 * its name to standard error and stops the process as SIGSTOP does, once; SIGCONT continues it. The build removes
 * every call from the shipped code, so a call is a statement on its own line.
 */
export function failpoint(name: string): void {
  if (armed !== EVERY && armed !== name) return;
  writeSync(STANDARD_ERROR, `failpoint ${name}\n`);
  if (armed === EVERY) return;
  armed = undefined;
  process.kill(process.pid, "SIGSTOP");
}
