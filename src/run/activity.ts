import type { Logger } from "pino";
import type { Row } from "../engine/builder.js";
import {
  NOTHING_YET,
  type AuditResult,
  type RunFindings,
  type RunIdentity,
  type RunReport,
  type StepTime,
} from "../record/run-record.js";

/** A step that has ended. Moments are milliseconds since 1970. */
export interface TimedStep {
  readonly name: string;
  readonly begun: number;
  readonly ended: number;
  readonly fault: "failed" | undefined;
}

/** What a run is doing, for whoever shows it. */
export class RunActivity {
  readonly #steps = new Set<string>();
  readonly #warnings: string[] = [];
  readonly #seconds = new Map<string, number>();
  readonly #timedSteps: TimedStep[] = [];
  #log: Logger | undefined;
  /** How far the statements under way are, from 0 to 100, or undefined if nothing is known. */
  percent: () => number | undefined = () => undefined;

  /** @param log is told of steps and warnings as they come; undefined if there is none. */
  constructor(log?: Logger) {
    this.#log = log;
  }

  /** The log of the run, where there is one. */
  get log(): Logger | undefined {
    return this.#log;
  }

  /** Has every line of the log from now on say which run it is of. */
  isOf(run: {
    readonly run: string;
    readonly execution_date: string;
    readonly trace_id?: string | undefined;
  }): void {
    this.#log = this.#log?.child(run);
  }

  /** The names of the steps that are under way. */
  get steps(): readonly string[] {
    return [...this.#steps];
  }

  /** What a person should know of a run, and what does not decide how it ends. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** The steps that have ended, in the order in which they first did; one that was taken several times has the sum. */
  get stepTimes(): readonly StepTime[] {
    return [...this.#seconds].map(([step, seconds]) => ({ step, seconds }));
  }

  /** When each step began and ended, in the order in which they ended. */
  get timedSteps(): readonly TimedStep[] {
    return this.#timedSteps;
  }

  readonly warn = (message: string): void => {
    this.#warnings.push(message);
    this.#log?.warn(message);
  };

  /** Does a step under its name. */
  async during<Result>(step: string, work: () => Promise<Result>): Promise<Result> {
    this.#steps.add(step);
    this.#log?.trace({ step }, "step begun");
    const begun = performance.now();
    let fault: TimedStep["fault"];
    try {
      return await work();
    } catch (error) {
      fault = "failed";
      throw error;
    } finally {
      this.#steps.delete(step);
      const ended = performance.now();
      const { timeOrigin } = performance;
      this.#timedSteps.push({ name: step, begun: timeOrigin + begun, ended: timeOrigin + ended, fault });
      const seconds = (ended - begun) / 1_000;
      this.#seconds.set(step, (this.#seconds.get(step) ?? 0) + seconds);
      this.#log?.debug({ step, seconds }, "step ended");
    }
  }
}

/** What a run is, and the trace that it belongs to. */
type TracedIdentity = RunIdentity & { readonly trace_id?: string | undefined };

/** Collects what a run can say of itself, so that its record tells as much as is known, however it ends. */
export class RunJournal {
  readonly #identity: TracedIdentity;
  readonly #activity: Pick<RunActivity, "stepTimes" | "warnings">;
  readonly #startedAt = performance.now();
  readonly #audits: AuditResult[] = [];
  #findings: RunFindings = NOTHING_YET;

  /** @param activity knows the steps and warnings that there are by now. */
  constructor(identity: TracedIdentity, activity: Pick<RunActivity, "stepTimes" | "warnings">) {
    this.#identity = identity;
    this.#activity = activity;
  }

  /** Takes down what the run has found out. */
  note(findings: Partial<RunFindings>): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  /** Takes down how audits of a model have ended. */
  noteAudits(results: readonly AuditResult[]): void {
    this.#audits.push(...results);
  }

  /** Takes down the rows of a measure as soon as they are known. */
  noteMeasure(name: string, rows: readonly Row[]): void {
    this.note({ measures: { ...this.#findings.measures, [name]: rows } });
  }

  /** All that is known by now. */
  report(): RunReport {
    return {
      ...this.#identity,
      ...this.#findings,
      // Models that run side by side end in any order.
      audits: this.#audits.toSorted((a, b) => (a.model < b.model ? -1 : Number(a.model > b.model))),
      steps: this.#activity.stepTimes,
      warnings: this.#activity.warnings,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }
}
