import type { RunOutcome } from "../../consumption/tables.js";
import type { RunReport } from "../report.js";

/** A run that something is told of: one that has just ended, or one of the history. */
export interface ToldRun {
  readonly outcome: RunOutcome;
  /** What it has failed with, by its stable code or `BUG`. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
  /** Moments in UTC, as ISO 8601. */
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly report: RunReport;
}
