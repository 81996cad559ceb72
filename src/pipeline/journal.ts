import type { AuditResult, RunReport } from "./report.js";

/** What a run is, known before it begins. */
type Identity = Pick<
  RunReport,
  "run_id" | "execution_date" | "stages" | "sql_version" | "sql_hash" | "max_rejected_share"
>;
/** What a run finds out on its way. */
type Findings = Omit<RunReport, keyof Identity | "audits" | "warnings" | "seconds">;

const NOTHING_YET: Findings = {
  engine: null,
  rendered_sql_hash: null,
  inputs: [],
  at_rest: [],
  measures: {},
  tables: [],
  published: null,
  gate: null,
};

/** Reads the record of a run. One that an earlier version of the pipeline has written lacks what it did not know. */
export function parseRecord(record: string): RunReport {
  return { ...NOTHING_YET, ...(JSON.parse(record) as RunReport) };
}

/** Collects what a run can say of itself, so that its record tells as much as is known, however it ends. */
export class RunJournal {
  readonly #identity: Identity;
  readonly #warnings: () => readonly string[];
  readonly #startedAt = performance.now();
  readonly #audits: AuditResult[] = [];
  #findings = NOTHING_YET;

  /** @param warnings gives those that there are by now. */
  constructor(identity: Identity, warnings: () => readonly string[]) {
    this.#identity = identity;
    this.#warnings = warnings;
  }

  /** Takes down what the run has found out. */
  note(findings: Partial<Findings>): void {
    this.#findings = { ...this.#findings, ...findings };
  }

  /** Takes down how audits of a model have ended. */
  noteAudits(results: readonly AuditResult[]): void {
    this.#audits.push(...results);
  }

  /** All that is known by now. */
  report(): RunReport {
    return {
      ...this.#identity,
      ...this.#findings,
      // Models that run side by side end in any order.
      audits: this.#audits.toSorted((a, b) => (a.model < b.model ? -1 : Number(a.model > b.model))),
      warnings: this.#warnings(),
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }
}
