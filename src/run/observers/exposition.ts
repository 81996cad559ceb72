import { Gauge, Registry } from "prom-client";
import type { Consumption } from "../../consumption/consumption.js";
import { readNewestPublication } from "../../consumption/read-publications.js";
import { lastRunsByStages } from "../../consumption/recorded-runs.js";
import type { RunOutcome } from "../../consumption/schema.js";
import { rejectReasonsOf, rowCountsOf } from "../../record/row-counts.js";
import { reportOf, type AuditResult, type RunReport } from "../../record/run-record.js";
import { CERTAINTY_WORDS } from "../../voucher/certainty.js";
import type { Publication } from "../../voucher/publication-identity.js";

const OUTCOMES = ["succeeded", "failed", "cancelled", "killed"] as const;
const AUDIT_OUTCOMES = ["passed", "warned", "failed"] as const satisfies readonly AuditResult["outcome"][];

/** A value with its labels. An unknown value is left out, so that no alert takes it for 0. */
type Sample = readonly [value: number | undefined, labels?: Readonly<Record<string, string>>];

/** The state of the pipeline in the text format of Prometheus. docs/operating.md explains each name. */
export async function expositionOf(state: PipelineState): Promise<string> {
  const registry = new Registry();
  const gauge = (name: string, help: string, samples: readonly Sample[]) => {
    const labelNames = Object.keys(samples[0]?.[1] ?? {});
    const made = new Gauge({ name: `voucher_pipeline_${name}`, help, labelNames, registers: [registry] });
    // A gauge without samples and labels would show 0.
    made.reset();
    const known = samples.filter(([value]) => value !== undefined && !Number.isNaN(value));
    if (known.length === 0) registry.removeSingleMetric(`voucher_pipeline_${name}`);
    for (const [value = 0, labels = {}] of known) made.set(labels, value);
  };
  addRuns(gauge, state);
  addRows(gauge, state.lastSuccesses);
  addAnswers(gauge, state);
  return registry.metrics();
}

type AddGauge = (name: string, help: string, samples: readonly Sample[]) => void;

function addRuns(gauge: AddGauge, { lastRuns, lastSuccesses }: PipelineState): void {
  const ofEach = (runs: readonly LastRun[], value: (run: LastRun) => number | undefined): Sample[] =>
    runs.map((run) => [value(run), { stages: run.stages }]);
  gauge(
    "last_run_outcome",
    "1 for the outcome of the last run of these stages, 0 for other outcomes",
    lastRuns.flatMap(({ stages, outcome }) =>
      OUTCOMES.map((name): Sample => [Number(name === outcome), { stages, outcome: name }]),
    ),
  );
  gauge(
    "last_run_timestamp_seconds",
    "End time of the last run of these stages",
    ofEach(lastRuns, ({ endedAt }) => secondsOf(endedAt)),
  );
  gauge(
    "last_run_duration_seconds",
    "Duration of the last run of these stages",
    ofEach(lastRuns, ({ report }) => report?.seconds),
  );
  gauge(
    "last_run_warnings",
    "Warnings of the last run of these stages",
    ofEach(lastRuns, ({ report }) => report?.warnings.length),
  );
  gauge(
    "last_run_audits",
    "Audits of the last run of these stages, by outcome",
    lastRuns.flatMap(({ stages, report }) =>
      AUDIT_OUTCOMES.map((outcome): Sample => [auditsThat(outcome, report), { stages, outcome }]),
    ),
  );
  gauge(
    "last_success_timestamp_seconds",
    "End time of the last successful run of these stages",
    ofEach(lastSuccesses, ({ endedAt }) => secondsOf(endedAt)),
  );
}

function addRows(gauge: AddGauge, successes: readonly LastRun[]): void {
  const counts = latestKnown(successes, rowCountsOf);
  const reasons = latestKnown(successes, (report) =>
    rowCountsOf(report) === undefined ? null : rejectReasonsOf(report),
  );
  const ofLast = "by the last successful run that curated";
  gauge("rows_read", `Raw rows read ${ofLast}`, [[counts?.read]]);
  gauge("rows_curated", `Rows curated ${ofLast}`, [[counts?.curated]]);
  gauge("rows_rejected", `Rows rejected ${ofLast}`, [[counts?.rejected]]);
  gauge("rows_out_of_scope", `Rows out of scope (later than the execution date) ${ofLast}`, [
    [counts?.outOfScope],
  ]);
  gauge(
    "rows_rejected_by_reason",
    `Rows rejected ${ofLast}, by reason; a row with two reasons counts twice`,
    (reasons ?? []).map(({ reason, rejected }) => [rejected, { reason }]),
  );
}

function addAnswers(gauge: AddGauge, { lastSuccesses, newest }: PipelineState): void {
  const answers = latestKnown(lastSuccesses, (report) => (report.published === null ? null : report.answers));
  const ofLast = "of the last run that published";
  gauge("answers", `Answers ${ofLast}`, [[answers?.changed.answers]]);
  gauge("changed_answers", `Answers ${ofLast} that changed`, [[answers?.changed.count]]);
  gauge(
    "answers_by_certainty",
    `Answers ${ofLast}, by certainty`,
    CERTAINTY_WORDS.map((word): Sample => [answers?.certainty?.[word], { certainty: word }]),
  );
  gauge("published_timestamp_seconds", "Time of the publication that readers see", [
    [newest && secondsOf(new Date(newest.publishedAt))],
  ]);
  gauge("execution_date_timestamp_seconds", "Execution date of the publication that readers see", [
    [newest && secondsOf(new Date(newest.executionDate.iso))],
  ]);
}

function auditsThat(outcome: AuditResult["outcome"], report: RunReport | undefined): number | undefined {
  return report?.audits.filter((audit) => audit.outcome === outcome).length;
}

function secondsOf(moment: Date): number {
  return moment.getTime() / 1_000;
}

/** The source of the pipeline's metrics. All of it is recorded, so a failed run does not lose any. */
export interface PipelineState {
  /** The run that ended last, for each set of stages that ever ran. */
  readonly lastRuns: readonly LastRun[];
  /** The successful run that ended last, for each set of stages. */
  readonly lastSuccesses: readonly LastRun[];
  readonly newest: Publication | undefined;
}

export interface LastRun {
  /** `curate,aggregate,publish`. */
  readonly stages: string;
  readonly outcome: RunOutcome;
  readonly endedAt: Date;
  /** Its place among all finished runs. */
  readonly place: number;
  /** Undefined if the run was killed before it recorded anything. */
  readonly report: RunReport | undefined;
}

/** Reads the state of the pipeline from the database. */
export async function readState(consumption: Consumption): Promise<PipelineState> {
  const lastRuns = async (outcome?: RunOutcome) =>
    (await lastRunsByStages(consumption, outcome)).map((run): LastRun => ({
      stages: run.stages,
      outcome: run.outcome,
      endedAt: new Date(run.ended_at ?? NaN),
      place: run.end_sequence ?? Number.MAX_SAFE_INTEGER,
      report: reportOf(run) ?? undefined,
    }));
  return {
    lastRuns: await lastRuns(),
    lastSuccesses: await lastRuns("succeeded"),
    newest: await readNewestPublication(consumption),
  };
}

/** The newest known value: the value of the latest run that has one. */
export function latestKnown<Known>(
  runs: readonly LastRun[],
  knownBy: (report: RunReport) => Known | null | undefined,
): Known | undefined {
  for (const { report } of runs.toSorted((a, b) => b.place - a.place)) {
    const known = report === undefined ? undefined : knownBy(report);
    if (known != null) return known;
  }
  return undefined;
}
