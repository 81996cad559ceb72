import os from "node:os";
import process from "node:process";
import { PipelineError } from "../base/errors.js";
import type { PipelineRunsTable } from "./tables.js";

/** Reads the runs that are recorded as in progress, the oldest first. */
export const RUNS_IN_PROGRESS =
  "SELECT run_id, started_at, started_by FROM pipeline_runs WHERE outcome = 'running' ORDER BY started_at LIMIT 4";

export type RunInProgress = Pick<PipelineRunsTable, "run_id" | "started_at" | "started_by">;

/**
 * The fault of a writer that has waited in vain for another one.
 * @param database how messages name it.
 * @param runs those in progress, as `RUNS_IN_PROGRESS` reads them; that of this process is none of the others.
 * @param transaction who has the oldest transaction, where the database tells; undefined otherwise.
 */
export function waitedInVain(
  database: string,
  seconds: number,
  {
    runs,
    transaction,
  }: { readonly runs: readonly RunInProgress[]; readonly transaction?: string | undefined },
  cause: unknown,
): PipelineError {
  const own = `@${os.hostname()} process ${process.pid.toString()}`;
  const others = runs
    .filter(({ started_by }) => !started_by.endsWith(own))
    .map(({ run_id, started_at, started_by }) => `run ${run_id} by ${started_by} since ${started_at}`);
  const holders = [...others, ...(transaction === undefined ? [] : [transaction])];
  return new PipelineError(
    "CONSUMPTION_UNAVAILABLE",
    `the ${database} has been busy with another writer for ${Math.round(seconds).toString()} s. ` +
      (holders.length > 0
        ? `In progress: ${holders.join("; ")}. If that process hangs, end it; then run again`
        : "No other run is recorded as in progress; look for another program that writes into it, then run again"),
    { cause },
  );
}
