import type { Standing } from "../standing.js";
import type { PastRun } from "./past-run.js";

/** Whether the database answers, or else is known to be away, is not there before the first run, or says nothing just now. */
export type DatabaseState = "answers" | "away" | "missing" | "silent";

/** @param runs undefined where they could not be read. */
export function databaseStateOf(
  { isAway, confirmedAt, publication }: Pick<Standing, "isAway" | "confirmedAt" | "publication">,
  runs: readonly PastRun[] | undefined,
): DatabaseState {
  if (isAway) return "away";
  if (runs !== undefined) return "answers";
  // It was looked for, and there was none.
  return confirmedAt !== undefined && publication === undefined ? "missing" : "silent";
}
