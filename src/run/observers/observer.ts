import { messageOf } from "../../base/errors.js";
import type { RunReport } from "../../record/run-record.js";
import type { RunContext } from "../context.js";

/** How a run has ended. */
export interface EndedRun {
  readonly outcome: "succeeded" | "failed" | "cancelled";
  /** All that is known of it; of one that has failed, what was known by then. */
  readonly report: RunReport;
  /** What it has failed with, by its stable code or `BUG`; undefined if it has succeeded. */
  readonly fault: { readonly code: string; readonly message: string } | undefined;
  /** Whether the database has taken its end. If it has not, it cannot be asked for anything else either. */
  readonly isRecorded: boolean;
  /** Moments in UTC, as ISO 8601 with milliseconds. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** User, host and process id. */
  readonly startedBy: string;
}

/**
 * Somebody who is told of every run, while the run holds its lock; whether there is something to do is in the settings of its
 * context. What goes wrong there does not decide how the run ends.
 */
export interface RunObserver {
  /** What the observer is called where telling it goes wrong. */
  readonly name: string;
  /** The run is recorded as begun; nothing of it is done. */
  began?(context: RunContext, startedAt: string): Promise<void>;
  /** The run is recorded as ended. Of one that was killed nobody is told. */
  ended?(context: RunContext, end: EndedRun): Promise<void>;
}

/** Tells every observer, all at once. What goes wrong there is a warning of the run. */
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
