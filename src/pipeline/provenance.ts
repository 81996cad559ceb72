import { readRuns } from "../consumption/runs.js";
import { PipelineError } from "../errors.js";
import type { RunContext } from "./context.js";
import { parseRecord } from "./journal.js";
import type { RestingTable } from "./report.js";

/** Runs of one date that are looked through, from the latest: records are long, and failures in a row seldom so many. */
const RUNS = 100;

/**
 * Makes sure that partitions at rest are those that a run has written which succeeded. One that was killed while it committed
 * leaves new partitions beside old ones, and no file tells. Where no run that writes is known, as in a new database, nothing
 * speaks against them.
 * @throws PipelineError PARTITION_DIFFERS.
 */
export async function assertWrittenByRuns(
  { consumption, executionDate, runId }: Pick<RunContext, "consumption" | "executionDate" | "runId">,
  tables: readonly RestingTable[],
): Promise<void> {
  if (tables.length === 0) return;
  const runs = await readRuns(consumption, { executionDate: executionDate.partitionKey, limit: RUNS });
  const writers = runs.filter(({ run_id, stages }) => run_id !== runId && stages !== "publish");
  if (writers.length === 0) return;
  const written = writers
    .filter(({ outcome }) => outcome === "succeeded")
    .flatMap(({ record }) => (record === null ? [] : parseRecord(record).tables));
  const strange = tables.find(
    ({ model, sha256 }) => written.find((table) => table.model === model)?.sha256 !== sha256,
  );
  if (strange === undefined) return;
  throw new PipelineError(
    "PARTITION_DIFFERS",
    `${strange.uri} is not what the last run that succeeded has written there, as where a later one was killed while it ` +
      `committed; make everything anew with: pipeline run -e ${executionDate.iso}`,
  );
}
