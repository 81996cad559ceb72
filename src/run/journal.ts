import type { Row } from "../engine/engine.js";
import { NOTHING_YET, type AuditResult, type RunReport } from "../record/run-record.js";
import type { RunActivity } from "./activity.js";

/** What a run is, known before it begins. */
type Identity = Pick<
  RunReport,
  "run_id" | "execution_date" | "stages" | "sql_version" | "sql_hash" | "max_rejected_share"
>;
/** What a run finds out on its way. */
type Findings = Omit<RunReport, keyof Identity | "audits" | "steps" | "warnings" | "seconds">;

/** Collects what a run can say of itself, so that its record tells as much as is known, however it ends. */
export class RunJournal {
  readonly #identity: Identity;
  readonly #activity: Pick<RunActivity, "stepTimes" | "warnings">;
  readonly #startedAt = performance.now();
  readonly #audits: AuditResult[] = [];
  #findings: Findings = NOTHING_YET;

  /** @param activity knows the steps and warnings that there are by now. */
  constructor(identity: Identity, activity: Pick<RunActivity, "stepTimes" | "warnings">) {
    this.#identity = identity;
    this.#activity = activity;
  }

  /** Takes down what the run has found out. */
  note(findings: Partial<Findings>): void {
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
