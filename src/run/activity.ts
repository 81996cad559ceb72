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

/** The current work of a run, for progress displays. */
export class RunActivity {
  readonly #steps = new Set<string>();
  readonly #warnings: string[] = [];
  readonly #seconds = new Map<string, number>();
  readonly #timedSteps: TimedStep[] = [];
  #log: Logger | undefined;
  /** The progress of the current statements, from 0 to 100; undefined if it is unknown. */
  percent: () => number | undefined = () => undefined;

  /** @param log receives steps and warnings as they happen; undefined if there is none. */
  constructor(log?: Logger) {
    this.#log = log;
  }

  /** The log of the run; undefined if there is none. */
  get log(): Logger | undefined {
    return this.#log;
  }

  /** From now on, every line of the log names this run. */
  isOf(run: {
    readonly run: string;
    readonly execution_date: string;
    readonly trace_id?: string | undefined;
  }): void {
    this.#log = this.#log?.child(run);
  }

  /** The names of the current steps. */
  get steps(): readonly string[] {
    return [...this.#steps];
  }

  /** Messages for people. They do not change the outcome of the run. */
  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  /** The finished steps, in the order in which they first ended. A step that ran several times has the sum. */
  get stepTimes(): readonly StepTime[] {
    return [...this.#seconds].map(([step, seconds]) => ({ step, seconds }));
  }

  /** The begin and end of each step, in the order in which they ended. */
  get timedSteps(): readonly TimedStep[] {
    return this.#timedSteps;
  }

  readonly warn = (message: string): void => {
    this.#warnings.push(message);
    this.#log?.warn(message);
  };

  /** Runs a step under its name. */
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

/** A run, and its trace. */
type TracedIdentity = RunIdentity & { readonly trace_id?: string | undefined };

/** Collects the known facts about a run for its record, whatever the outcome. */
export class RunJournal {
  readonly #identity: TracedIdentity;
  readonly #activity: Pick<RunActivity, "stepTimes" | "warnings">;
  readonly #startedAt = performance.now();
  readonly #audits: AuditResult[] = [];
  #findings: RunFindings = NOTHING_YET;

  /** @param activity has the steps and warnings so far. */
  constructor(identity: TracedIdentity, activity: Pick<RunActivity, "stepTimes" | "warnings">) {
    this.#identity = identity;
    this.#activity = activity;
  }

  /** Notes findings of the run. */
  note(findings: Partial<RunFindings>): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  /** Notes the results of the audits of a model. */
  noteAudits(results: readonly AuditResult[]): void {
    this.#audits.push(...results);
  }

  /** Notes the rows of a measure as soon as they are known. */
  noteMeasure(name: string, rows: readonly Row[]): void {
    this.note({ measures: { ...this.#findings.measures, [name]: rows } });
  }

  /** All facts that are known so far. */
  report(): RunReport {
    return {
      ...this.#identity,
      ...this.#findings,
      // Parallel models end in any order.
      audits: this.#audits.toSorted((a, b) => (a.model < b.model ? -1 : Number(a.model > b.model))),
      steps: this.#activity.stepTimes,
      warnings: this.#activity.warnings,
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }
}
