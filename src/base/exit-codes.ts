import type { FaultKind } from "./errors.js";

/** Every exit code that a process gives by itself. docs/errors.md explains each. */
export const EXIT_CODES = {
  done: 0,
  bug: 1,
  usage: 2,
  data: 3,
  unavailable: 4,
  locked: 5,
  SIGHUP: 129,
  SIGINT: 130,
  SIGTERM: 143,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

export function exitCodeOf(kind: Exclude<FaultKind, "cancelled">): ExitCode {
  return EXIT_CODES[kind];
}

/** Has the process give an exit code when its work has ended. */
export function endWith(code: ExitCode): void {
  process.exitCode = code;
}

/** Ends the process at once. */
export function endNow(code: ExitCode): never {
  process.exit(code);
}

/**
 * Has the process end as another process of the same program did.
 * @param code of the other process; 128 and the number of a signal if that ended it.
 */
export function endAs(code: number): void {
  process.exitCode = code;
}

/** The exit code of which the end is sure so far. */
export function exitCodeSoFar(): number {
  return Number(process.exitCode ?? EXIT_CODES.done);
}
