import { storedJson } from "../consumption/consumption.js";
import type { Row } from "../engine/engine.js";
import type { AnswersDiff } from "../introspect/diff.js";
import type { AuditResult, OutputTable, RunReport } from "../record/report.js";
import type { RunActivity } from "./activity.js";

/** What a run is, known before it begins. */
type Identity = Pick<
  RunReport,
  "run_id" | "execution_date" | "stages" | "sql_version" | "sql_hash" | "max_rejected_share"
>;
/** What a run finds out on its way. */
type Findings = Omit<RunReport, keyof Identity | "audits" | "steps" | "warnings" | "seconds">;

const NOTHING_YET: Findings = {
  engine: null,
  rendered_sql_hash: null,
  inputs: [],
  ignored_files: { count: 0, first: [] },
  same_bytes: [],
  raw_columns: [],
  drift: [],
  at_rest: [],
  measures: {},
  tables: [],
  published: null,
  answers: null,
  gate: null,
  run_report: null,
  notified: [],
};

/** What a record of an earlier version of the pipeline can lack. */
const ADDED_LATER = { ...NOTHING_YET, steps: [] };

/** Reads the record of a run. One that an earlier version of the pipeline has written lacks what it did not know. */
export function parseRecord(record: string): RunReport {
  const report = { ...ADDED_LATER, ...(storedJson(record, "the record of a run") as RunReport) };
  const { answers, gate } = report;
  return {
    ...report,
    // Earlier versions wrote one each.
    tables: report.tables.map((table) => ({ ...table, files: (table as Partial<OutputTable>).files ?? 1 })),
    answers: answers && { ...answers, changed: withCount(answers.changed) },
    gate: gate && withCount(gate),
  };
}

/** Earlier versions kept every change, and did not count them. */
function withCount<Diff extends AnswersDiff>(diff: Diff): Diff {
  return { ...diff, count: (diff as Partial<Diff>).count ?? diff.changes.length };
}

/** Collects what a run can say of itself, so that its record tells as much as is known, however it ends. */
export class RunJournal {
  readonly #identity: Identity;
  readonly #activity: Pick<RunActivity, "stepTimes" | "warnings">;
  readonly #startedAt = performance.now();
  readonly #audits: AuditResult[] = [];
  #findings = NOTHING_YET;

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
