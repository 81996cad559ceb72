import { duckDbBuilder } from "../engine/builder.js";
import { withDuckDb } from "../engine/duckdb.js";
import type { Row } from "../engine/engine.js";
import { loadSqlVersion } from "../models/load.js";
import { isWritten } from "../models/model.js";
import type { Settings } from "../settings.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { lookingOnce } from "../zones/looking-once.js";
import { openZones } from "../zones/open.js";
import { RunActivity } from "./activity.js";
import { filesAtRest } from "./at-rest.js";
import { buildModels } from "./build.js";
import { planRun } from "./plan.js";
import { STAGES } from "./report.js";
import { measuresAtRest, stepsOfStages } from "./stages.js";

/** What is known of the rejected rows of an execution date. */
export interface RejectedReport {
  readonly execution_date: string;
  /** The rows of each measure that is taken of what is at rest: `measures.rejected_by_reason`. */
  readonly measures: Readonly<Record<string, readonly Row[]>>;
  /** How many rows were rejected. */
  readonly rejected: number;
  /** Some of them as they came, with every reason. */
  readonly rows: readonly Row[];
}

export interface RejectedRequest {
  readonly executionDate: ExecutionDate;
  /** How many rejected rows to give in full. */
  readonly rows: number;
}

/** The table of the rejected rows. */
const REJECTED = "curated.vouchers_rejected";

/**
 * Looks at the rejected rows that the last run of an execution date has left, and at what they could have changed.
 * @throws PipelineError PARTITION_MISSING where no run of the date has left any.
 */
export async function reportRejected(
  settings: Settings,
  { executionDate, rows }: RejectedRequest,
  signal: AbortSignal,
  warn: (message: string) => void,
): Promise<RejectedReport> {
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = lookingOnce(await openZones(settings, signal));
  try {
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
          // Nothing is staged, and nothing raw is read.
          runId: "",
          raw: { explainFault: () => Promise.resolve(), typed: () => undefined },
        },
        plan,
        stepsOfStages(plan, STAGES).filter((step) => atRest.includes(step)),
      );
      const [count] = await engine.rows(`SELECT count(*) AS rejected FROM ${REJECTED}`);
      return {
        execution_date: executionDate.iso,
        measures,
        rejected: Number(count?.["rejected"]),
        rows: await engine.rows(`FROM ${REJECTED} LIMIT ${rows.toString()}`),
      };
    });
  } finally {
    zones.close();
  }
}
