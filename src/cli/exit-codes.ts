import type { FaultKind } from "../errors.js";

/** What a scheduler can tell from how the process ended. docs/errors.md explains each. */
export const EXIT_CODES = {
  done: 0,
  bug: 1,
  usage: 2,
  data: 3,
  unavailable: 4,
  locked: 5,
} as const satisfies Record<string, number>;

export function exitCodeOf(kind: Exclude<FaultKind, "cancelled">): number {
  return EXIT_CODES[kind];
}
