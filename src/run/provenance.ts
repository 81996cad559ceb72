import { PipelineError } from "../base/errors.js";
import type { Consumption } from "../consumption/consumption.js";
import { readRunOutlines, readRuns, type RunOutline } from "../consumption/runs.js";
import { reportOf, type OutputTable, type RestingTable } from "../record/run-record.js";
import type { RunContext } from "./context.js";
import { lastThatDid } from "./date-runs.js";

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
