import { writeSync } from "node:fs";

/** Instead of the name of one point: every point that is reached is only told. */
const EVERY = "*";
const STANDARD_ERROR = 2;

let armed: string | undefined;

/**
 * Arms a point at which the process shall stand still, so that a test can kill it there, or take a service away and let it
 * go on. Nothing but a test arms one.
 * @param name of a point, or `*`, which stops at none and tells the names of those that are reached.
 */
export function armFailpoint(name: string | undefined): void {
  armed = name;
}

/**
 * A point that a run passes, at which what readers see is about to change or has just changed. Its name is told on standard
 * error before the process stops as SIGSTOP stops it, once; SIGCONT lets it go on.
 */
export function failpoint(name: string): void {
  if (armed !== EVERY && armed !== name) return;
  writeSync(STANDARD_ERROR, `failpoint ${name}\n`);
  if (armed === EVERY) return;
  armed = undefined;
  process.kill(process.pid, "SIGSTOP");
}
