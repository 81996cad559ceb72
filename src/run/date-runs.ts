import { PipelineError } from "../base/errors.js";
import type { Consumption } from "../consumption/consumption.js";
import { hasFailed, readRunOutlines, readRuns, type RunOutline } from "../consumption/recorded-runs.js";
import { reportOf, type OutputTable, type RestingTable } from "../record/run-record.js";
import { type Stage } from "../record/stages.js";
import type { Publication } from "../voucher/publication-identity.js";
import type { RunContext } from "./context.js";

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
function lastThatDid(stage: Stage, runs: DateRuns): RunOutline | undefined {
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

/**
 * Makes sure that partitions at rest are those that the last run wrote which had their stage and succeeded. A run that was killed
 * while it committed leaves new partitions beside old ones, and no file tells. If no run that writes is known, as in a new
 * database, nothing speaks against them.
 * @throws PipelineError PARTITION_DIFFERS.
 */
export async function assertWrittenByRuns(
  { consumption, executionDate, runId }: Pick<RunContext, "consumption" | "executionDate" | "runId">,
  tables: readonly RestingTable[],
): Promise<void> {
  if (tables.length === 0) return;
  const { partitionKey, iso } = executionDate;
  const runs = (await readRunOutlines(consumption, { executionDate: partitionKey })).get(partitionKey) ?? [];
  if (runs.every(({ run_id, stages }) => run_id === runId || stages === "publish")) return;
  for (const stage of ["curate", "aggregate"] as const) {
    const read = tables.filter(
      ({ model }) => stage === (model.startsWith("curated.") ? "curate" : "aggregate"),
    );
    const written = read.length === 0 ? [] : await tablesOf(consumption, lastThatDid(stage, runs));
    const strange = read.find(
      ({ model, sha256 }) => written.find((table) => table.model === model)?.sha256 !== sha256,
    );
    if (strange === undefined) continue;
    throw new PipelineError(
      "PARTITION_DIFFERS",
      `${strange.uri} is not what the last run that succeeded has written there, as where a later one was killed while it ` +
        `committed; make everything anew with: pipeline run -e ${iso}`,
    );
  }
}

/** The partitions that a run wrote. */
async function tablesOf(
  consumption: Consumption,
  outline: RunOutline | undefined,
): Promise<readonly OutputTable[]> {
  const [run] = outline === undefined ? [] : await readRuns(consumption, { runId: outline.run_id, limit: 1 });
  return (run && reportOf(run)?.tables) ?? [];
}
