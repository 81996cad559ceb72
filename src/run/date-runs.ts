import { hasFailed, type RunOutline } from "../consumption/runs.js";
import type { Stage } from "../record/run-record.js";
import type { Publication } from "../voucher/publication.js";

/** The runs of one execution date, the one that began first first. What they say of the date is decided here, for all who ask. */
export type DateRuns = readonly RunOutline[];

/**
 * Which of some stages are left to do, after runs that each have done theirs. Stages are done in their order, by one run or by
 * several: `publish` does not count before `aggregate`, because it publishes what was there before.
 */
export function stagesLeft(stages: readonly string[], runs: DateRuns): readonly string[] {
  let left = stages;
  for (const run of runs.filter(hasSucceeded)) {
    for (const stage of stagesOf(run)) if (left[0] === stage) left = left.slice(1);
  }
  return left;
}

/** The last failure of a date whose stages have not all succeeded since; undefined if nothing is left to do again. */
export function failureOf(runs: DateRuns): RunOutline | undefined {
  return runs.findLast(
    (run, index) => hasFailed(run) && stagesLeft(stagesOf(run), runs.slice(index + 1)).length > 0,
  );
}

/** The last run that had a stage and succeeded. */
export function lastThatDid(stage: Stage, runs: DateRuns): RunOutline | undefined {
  return runs.findLast((run) => hasSucceeded(run) && stagesOf(run).includes(stage));
}

/**
 * The run that read the raw files which a publication rests on. A run of `publish` alone published what the last run of `aggregate`
 * before it had written, and that run had read what the last run of `curate` before it had written.
 * @returns undefined if no such run is known.
 */
export function readerOf({ runId }: Pick<Publication, "runId">, runs: DateRuns): RunOutline | undefined {
  // A run that published the same data again is not named by the publication. A run that was killed after it published is.
  const publisher = runs.findLast(
    (run) => run.run_id === runId || (hasSucceeded(run) && stagesOf(run).includes("publish")),
  );
  const before = (run: RunOutline, stage: Stage) =>
    stagesOf(run).includes(stage) ? run : lastThatDid(stage, runs.slice(0, runs.indexOf(run)));
  const aggregator = publisher && before(publisher, "aggregate");
  return aggregator && before(aggregator, "curate");
}

function hasSucceeded({ outcome }: RunOutline): boolean {
  return outcome === "succeeded";
}

function stagesOf({ stages }: RunOutline): string[] {
  return stages.split(",");
}
