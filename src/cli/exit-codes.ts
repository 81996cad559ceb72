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

/** How shells report a process that a signal ended. */
export const SIGNAL_EXIT_CODES = { SIGINT: 130, SIGTERM: 143 } as const;

export function exitCodeOf(kind: Exclude<FaultKind, "cancelled">): number {
  return EXIT_CODES[kind];
}
