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

/** The failure of a date. */
export interface DateFault {
  readonly executionDate: ExecutionDate;
  readonly fault: PipelineError;
}

/** The progress of a backfill, for displays. */
export class BackfillActivity {
  /** The common work for all dates. */
  readonly shared: RunActivity;
  readonly #dates = new Map<string, BackfilledDate>();
  readonly #faults: DateFault[] = [];
  #runningSince = performance.now();

  /** @param log receives messages about the runs; undefined if there is none. */
  constructor(readonly log?: Logger) {
    this.shared = new RunActivity(log);
  }

  /** The earliest first. */
  get dates(): readonly BackfilledDate[] {
    return [...this.#dates.values()].sort((a, b) => (a.execution_date < b.execution_date ? -1 : 1));
  }

  /** The failures of dates, the earliest date first. */
  get faults(): readonly DateFault[] {
    return this.#faults.toSorted((a, b) => (a.executionDate.iso < b.executionDate.iso ? -1 : 1));
  }

  /** The estimated milliseconds to the end, from the dates so far; undefined before the first date is done. */
  get millisecondsLeft(): number | undefined {
    const numberOf = (...states: BackfilledDate["state"][]) =>
      this.dates.filter(({ state }) => states.includes(state)).length;
    const ended = numberOf("done", "failed");
    if (ended === 0) return undefined;
    return ((performance.now() - this.#runningSince) / ended) * numberOf("waiting", "running");
  }

  /** Notes all dates, and that the first of them starts now. */
  begin(dates: readonly ExecutionDate[], doneBefore: ReadonlySet<string>): void {
    this.#runningSince = performance.now();
    for (const { iso, partitionKey } of dates) {
      const state = doneBefore.has(partitionKey) ? "done before" : "waiting";
      this.#dates.set(iso, { execution_date: iso, ...WAITING, state });
    }
  }

  /** Notes the failure of a date. */
  noteFault(executionDate: ExecutionDate, fault: PipelineError): void {
    this.#faults.push({ executionDate, fault });
    this.note(executionDate, { state: "failed", error_code: fault.code, error_message: fault.message });
  }

  /** Notes the state of a date. */
  note({ iso }: ExecutionDate, findings: Partial<BackfilledDate>): void {
    this.#dates.set(iso, { execution_date: iso, ...WAITING, ...this.#dates.get(iso), ...findings });
  }
}
