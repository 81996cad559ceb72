import type { FaultKind } from "./errors.js";

/** Every exit code that a process sets itself. docs/errors.md explains each. */
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

/** Sets the exit code for the end of the process's work. */
export function endWith(code: ExitCode): void {
  process.exitCode = code;
}

/** Ends the process at once. */
export function endNow(code: ExitCode): never {
  process.exit(code);
}

/**
 * Ends the process like another process of the same program.
 * @param code of the other process; 128 plus the number of a signal if that ended it.
 */
export function endAs(code: number): void {
  process.exitCode = code;
}

/** The exit code that is set so far. */
export function exitCodeSoFar(): number {
  return Number(process.exitCode ?? EXIT_CODES.done);
}
