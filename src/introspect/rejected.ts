import { PipelineError } from "../base/errors.js";
import { hasFailed, readRunHistory } from "../consumption/recorded-runs.js";
import type { PipelineRunsTable } from "../consumption/schema.js";
import type { Row } from "../engine/builder.js";
import { duckDbBuilder } from "../engine/duckdb/duckdb-engine.js";
import { withDuckDb } from "../engine/duckdb/duckdb.js";
import { isWritten } from "../models/model.js";
import { REJECTED_ROWS, rowCountsOf } from "../record/row-counts.js";
import { reportOf } from "../record/run-record.js";
import { STAGES } from "../record/stages.js";
import { RunActivity } from "../run/activity.js";
import { filesAtRest, buildModels } from "../run/build.js";
import { planRun, measuresAtRest, stepsOfStages } from "../run/plan.js";
import type { Settings } from "../settings/settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { lookingOnce } from "../zones/open-zones.js";
import { looking } from "./looking.js";

/** The facts about the rejected rows of an execution date. */
export interface RejectedReport {
  readonly execution_date: string;
  /** The last failed run, if all facts are from its record; null if they are from the partition. */
  readonly failed_run: FailedRun | null;
  /** The rows of each measure over existing partitions: `measures.rejected_by_reason`. */
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  /** The number of rejected rows. */
  readonly rejected: number;
  /** Some of them in their raw form, with every reason; none of a failed run, which leaves no rows. */
  readonly rows: readonly Row[];
}

/** A run that failed, was cancelled or was killed. */
export type FailedRun = Pick<PipelineRunsTable, "run_id" | "outcome" | "error_code">;

export interface RejectedRequest {
  readonly executionDate: ExecutionDate;
  /** The number of rejected rows to give in full. */
  readonly rows: number;
}

/**
 * Reports the rejected rows of the last run of an execution date, and the answers that they could have changed. If
 * that run failed after it had counted its rows, the facts are from its record: a failed run leaves no rows.
 * @throws PipelineError PARTITION_MISSING if no run of the date has left any.
 */
export async function reportRejected(
  settings: Settings,
  { executionDate, rows }: RejectedRequest,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<RejectedReport> {
  const failed = await lastRunIfFailed(settings, executionDate, warn);
  if (failed !== undefined) return failed;
  return looking(settings, signal, async (opened) => {
    const version = await opened.sql();
    const zones = lookingOnce(await opened.zones());
    const files = await filesAtRest({ executionDate, zones }, version.models.filter(isWritten));
    const session = {
      settings: settings.duckdb,
      s3: zones.s3,
      reach: { directories: [], files },
      signal,
      warn,
    };
    return await withDuckDb(session, async (engine) => {
      const { maxRejectedShare } = settings;
      const plan = planRun(version, {
        executionDate,
        maxRejectedShare,
        rawRoot: zones.raw.root,
        rawParts: new Map(),
      });
      const atRest = measuresAtRest(plan);
      const { measures } = await buildModels(
        {
          builder: duckDbBuilder(engine),
          executionDate,
          zones,
          activity: new RunActivity(),
          journal: { noteAudits: () => undefined, noteMeasure: () => undefined },
          // Nothing is staged, and no raw file is read.
          runId: "",
          raw: { explainFault: () => Promise.resolve(), typed: () => undefined },
        },
        plan,
        stepsOfStages(plan, STAGES).filter((step) => atRest.includes(step)),
      );
      const [count] = await engine.rows(`SELECT count(*) AS rejected FROM ${REJECTED_ROWS}`);
      return {
        execution_date: executionDate.iso,
        failed_run: null,
        measures,
        rejected: Number(count?.["rejected"]),
        rows: await engine.rows(`FROM ${REJECTED_ROWS} LIMIT ${rows.toString()}`),
      };
    });
  });
}

/** The record of the last run that read raw files, if that run failed and had counted its rows. */
async function lastRunIfFailed(
  settings: Settings,
  { iso, partitionKey }: ExecutionDate,
  warn: (message: string) => void,
): Promise<RejectedReport | undefined> {
  const run = await lastCurateRun(settings, partitionKey, warn);
  if (run === undefined || !hasFailed(run)) return undefined;
  const { run_id, outcome, error_code } = run;
  const measures = reportOf(run)?.measures ?? {};
  const counts = rowCountsOf({ measures });
  if (counts === undefined) {
    warn(`the last run, ${run_id}, failed before it counted its rows; see npx pipeline runs ${run_id}`);
    return undefined;
  }
  return {
    execution_date: iso,
    failed_run: { run_id, outcome, error_code },
    measures,
    rejected: counts.rejected,
    rows: [],
  };
}

async function lastCurateRun(
  settings: Settings,
  executionDate: string,
  warn: (message: string) => void,
): Promise<PipelineRunsTable | undefined> {
  try {
    return await looking(settings, undefined, async (opened) => {
      const consumption = await opened.database();
      if (consumption === undefined) return undefined;
      const [run] = await readRunHistory(consumption, { executionDate, stage: "curate", limit: 1 });
      return run;
    });
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    warn(`the outcome of the last run is unknown: ${error.message}`);
    return undefined;
  }
}
