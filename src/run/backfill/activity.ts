import type { Logger } from "pino";
import type { PipelineError } from "../../base/errors.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { RunActivity } from "../activity.js";

const WAITING: Omit<BackfilledDate, "execution_date"> = {
  state: "waiting",
  run_id: null,
  seconds: null,
  rows: null,
  is_new: null,
  error_code: null,
  error_message: null,
  warnings: [],
};

/** What a date has failed with. */
export interface DateFault {
  readonly executionDate: ExecutionDate;
  readonly fault: PipelineError;
}

/** What a backfill is doing and has done, for whoever shows it. */
export class BackfillActivity {
  /** What is done for all dates together. */
  readonly shared: RunActivity;
  readonly #dates = new Map<string, BackfilledDate>();
  readonly #faults: DateFault[] = [];
  #runningSince = performance.now();

  /** @param log is told of the runs, where there is one. */
  constructor(readonly log?: Logger) {
    this.shared = new RunActivity(log);
  }

  /** The earliest first. */
  get dates(): readonly BackfilledDate[] {
    return [...this.#dates.values()].sort((a, b) => (a.execution_date < b.execution_date ? -1 : 1));
  }

  /** What dates have failed with, the earliest date first. */
  get faults(): readonly DateFault[] {
    return this.#faults.toSorted((a, b) => (a.executionDate.iso < b.executionDate.iso ? -1 : 1));
  }

  /** How many milliseconds it will take from now on, as long as the dates that are done have taken; undefined before the first. */
  get millisecondsLeft(): number | undefined {
    const numberOf = (...states: BackfilledDate["state"][]) =>
      this.dates.filter(({ state }) => states.includes(state)).length;
    const ended = numberOf("done", "failed");
    if (ended === 0) return undefined;
    return ((performance.now() - this.#runningSince) / ended) * numberOf("waiting", "running");
  }

  /** Takes down which dates there are, and that the first will be run now. */
  begin(dates: readonly ExecutionDate[], doneBefore: ReadonlySet<string>): void {
    this.#runningSince = performance.now();
    for (const { iso, partitionKey } of dates) {
      const state = doneBefore.has(partitionKey) ? "done before" : "waiting";
      this.#dates.set(iso, { execution_date: iso, ...WAITING, state });
    }
  }

  /** Takes down what a date has failed with. */
  noteFault(executionDate: ExecutionDate, fault: PipelineError): void {
    this.#faults.push({ executionDate, fault });
    this.note(executionDate, { state: "failed", error_code: fault.code, error_message: fault.message });
  }

  /** Takes down what has become of a date. */
  note({ iso }: ExecutionDate, findings: Partial<BackfilledDate>): void {
    this.#dates.set(iso, { execution_date: iso, ...WAITING, ...this.#dates.get(iso), ...findings });
  }
}

/** Which execution dates of a range are run: those without a publication, whose last run failed, whose raw files changed, or all. */
export const SELECTIONS = ["missing", "failed", "stale", "all"] as const;
export type Selection = (typeof SELECTIONS)[number];

export const ORDERS = ["oldest-first", "newest-first"] as const;
export type Order = (typeof ORDERS)[number];

/** An execution date of a backfill, and what has become of it. */
export interface BackfilledDate {
  readonly execution_date: string;
  /** `done before` is what the part of the backfill that stopped has done. */
  readonly state: "waiting" | "running" | "done before" | "done" | "failed";
  readonly run_id: string | null;
  readonly seconds: number | null;
  /** How many rows its run wrote into the partitions of all tables. */
  readonly rows: number | null;
  /** Whether its data is other than what readers had before. */
  readonly is_new: boolean | null;
  readonly error_code: string | null;
  readonly error_message: string | null;
  readonly warnings: readonly string[];
}

/** What a backfill can say of itself. It is what `--json` prints. */
export interface BackfillReport {
  /** Null where there was no date to run. */
  readonly backfill_id: string | null;
  readonly from: string;
  readonly to: string;
  readonly only: Selection;
  /** When the backfill began that this one went on with; null where it is a new one. */
  readonly resumed_from: string | null;
  /** The earliest first. */
  readonly dates: readonly BackfilledDate[];
  /** What is to be known of all of them; each date has its own. */
  readonly warnings: readonly string[];
  readonly seconds: number;
}
