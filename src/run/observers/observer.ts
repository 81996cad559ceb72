import { messageOf } from "../../base/errors.js";
import type { RunReport } from "../../record/run-record.js";
import type { RunContext } from "../context.js";

/** The end of a run. */
export interface EndedRun {
  readonly outcome: "succeeded" | "failed" | "cancelled";
  /** All that is known of it. For a failed run, this is the state before the failure. */
  readonly report: RunReport;
  /** The failure, with its stable code or `BUG`; undefined if the run succeeded. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
  /** Whether the database recorded the end. If it did not, no other query works either. */
  readonly isRecorded: boolean;
  /** Moments in UTC, as ISO 8601 with milliseconds. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** User, host and process id. */
  readonly startedBy: string;
}

/**
 * An observer receives every run while the run holds its lock. The settings of the context decide if it does
 * anything. Its faults do not change the outcome of the run.
 */
export interface RunObserver {
  /** The name of the observer in a warning. */
  readonly name: string;
  /** The run is recorded as begun; its work has not started. */
  began?(context: RunContext, startedAt: string): Promise<void>;
  /** The run is recorded as ended. A killed run does not get here. */
  ended?(context: RunContext, end: EndedRun): Promise<void>;
}

/** Calls every observer, all at once. A fault of an observer is a warning of the run. */
export async function tellObservers(
  { activity }: Pick<RunContext, "activity">,
  observers: readonly RunObserver[],
  tell: (observer: RunObserver) => Promise<void> | undefined,
): Promise<void> {
  await Promise.all(
    observers.map(async (observer) => {
      try {
        await tell(observer);
      } catch (error) {
        activity.warn(`${observer.name}: ${messageOf(error)}`);
      }
    }),
  );
}
