import type { Consumption } from "../../../consumption/consumption.js";
import { readNewestPublication } from "../../../consumption/publications.js";
import { lastRunsByStages } from "../../../consumption/runs.js";
import type { RunOutcome } from "../../../consumption/tables.js";
import { reportOf, type RunReport } from "../../../record/run-record.js";
import type { Publication } from "../../../voucher/publication.js";

/** What the metrics of the pipeline are made of. All of it is recorded: a run that fails takes nothing of it away. */
export interface PipelineState {
  /** The run that ended last, of each set of stages that was ever run. */
  readonly lastRuns: readonly LastRun[];
  /** The same of those that succeeded. */
  readonly lastSuccesses: readonly LastRun[];
  readonly newest: Publication | undefined;
}

export interface LastRun {
  /** `curate,aggregate,publish`. */
  readonly stages: string;
  readonly outcome: RunOutcome;
  readonly endedAt: Date;
  /** Its place among all runs that have ended. */
  readonly place: number;
  /** Undefined of one that was killed before it said anything. */
  readonly report: RunReport | undefined;
}

/** Asks the database how the pipeline stands. */
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

/** What the latest of the runs that know something knows of it. */
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
