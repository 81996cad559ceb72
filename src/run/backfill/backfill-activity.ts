import type { Logger } from "pino";
import type { PipelineError } from "../../base/errors.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { RunActivity } from "../activity.js";
import type { BackfilledDate } from "./backfill-report.js";

const WAITING: Omit<BackfilledDate, "execution_date"> = {
  state: "waiting",
  run_id: null,
  seconds: null,
  rows: null,
  is_new: null,
  changed: null,
  certainty: null,
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
