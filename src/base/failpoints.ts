import { writeSync } from "node:fs";

/** Instead of the name of one point: every point that is reached is only told. */
const EVERY = "*";
const STANDARD_ERROR = 2;

/** The point at which the process stops, so that a test can kill it there, or take a service away and let it continue. */
let armed = process.env["TEST_FAILPOINT"];

/**
 * A point that a run passes, at which what readers see is about to change or has just changed. If it is armed, it tells its name on
 * standard error and stops the process as SIGSTOP does, once; SIGCONT continues it. The build leaves every call out of what ships, so a
 * call is a statement on a line of its own.
 */
export function failpoint(name: string): void {
  if (armed !== EVERY && armed !== name) return;
  writeSync(STANDARD_ERROR, `failpoint ${name}\n`);
  if (armed === EVERY) return;
  armed = undefined;
  process.kill(process.pid, "SIGSTOP");
}
