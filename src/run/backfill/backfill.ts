import { sideBySide } from "../../base/concurrency.js";
import { PipelineError } from "../../base/errors.js";
import { faultOfWork } from "../../base/machine-faults.js";
import type { Consumption } from "../../consumption/consumption.js";
import { migrate } from "../../consumption/migrate.js";
import { openConsumption } from "../../consumption/open-consumption.js";
import { recordBackfillEnd } from "../../consumption/recorded-runs.js";
import { loadSqlVersion } from "../../models/load.js";
import { type RunReport } from "../../record/run-record.js";
import { STAGES } from "../../record/stages.js";
import type { Settings } from "../../settings/settings.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { calendarDays } from "../../voucher/moment.js";
import { assertApart } from "../../zones/apart.js";
import { RunActivity } from "../activity.js";
import type { RawSource } from "../context.js";
import { rawZone } from "../raw-input.js";
import { runPipeline, type RunRequest } from "../run.js";
import type { BackfillActivity } from "./backfill-activity.js";
import type { BackfilledDate, BackfillReport, Order, Selection } from "./backfill-report.js";
import { beginLedger, openLedger, type Ledger } from "./ledger.js";
import { withSharedRaw } from "./shared-raw.js";

/** Two backfills of one database would run the same dates. */
const LOCK_NAME = "backfill";
const MOST_DATES = 10_000;

/** The dates and the options of a backfill. */
export interface BackfillRequest extends Pick<
  RunRequest,
  "gate" | "keepStaged" | "replacesVersion" | "waitMilliseconds"
> {
  /** The first and the last execution date. The dates between are one day apart. */
  readonly from: ExecutionDate;
  readonly to: ExecutionDate;
  readonly only: Selection;
  readonly order: Order;
  /** The number of dates that run at the same time. */
  readonly maxParallel: number;
  /** Whether the other dates run after one has failed. */
  readonly continueOnError: boolean;
  /** Whether an interrupted backfill starts over instead of resuming. */
  readonly anew: boolean;
}

/** The end of a backfill. */
export interface EndedBackfill {
  readonly report: BackfillReport;
  /** The reason why some of its dates are not done; undefined if all are. */
  readonly fault: PipelineError | undefined;
}

/**
 * Runs the pipeline for many execution dates. Each date is a separate run, but the raw vouchers are read and typed
 * once. An interrupted backfill resumes if the same request comes again with the same SQL.
 * @param signal cancels it: the current runs end like any cancelled run.
 * @throws PipelineError INVALID_USAGE, LOCK_HELD if another backfill is in progress, or a fault that stops all dates.
 */
export async function backfill(
  settings: Settings,
  request: BackfillRequest,
  signal: AbortSignal,
  activity: BackfillActivity,
): Promise<EndedBackfill> {
  assertRange(request);
  const begin = performance.now();
  await assertApart(settings);
  const consumption = await openConsumption(settings.consumptionUrl, signal);
  try {
    await activity.shared.during("migrating the database", () => migrate(consumption, signal));
    const locked = await consumption.tryLocked(LOCK_NAME, () =>
      runLedger(consumption, settings, request, signal, activity),
    );
    if (locked === undefined) {
      throw new PipelineError(
        "LOCK_HELD",
        "another backfill of this database is in progress; wait until it ends, or stop it",
      );
    }
    const { ledger, resumed, fault } = locked.result;
    const report = {
      backfill_id: ledger?.backfillId ?? null,
      from: request.from.iso,
      to: request.to.iso,
      only: request.only,
      resumed_from: resumed ? (ledger?.startedAt ?? null) : null,
      dates: activity.dates,
      warnings: activity.shared.warnings,
      seconds: (performance.now() - begin) / 1000,
    };
    return { report, fault };
  } finally {
    await consumption.close();
  }
}

function assertRange({ from, to }: BackfillRequest): void {
  if (to.iso < from.iso) {
    throw new PipelineError("INVALID_USAGE", `--to ${to.iso} is before --from ${from.iso}`);
  }
  if (calendarDays(new Date(from.iso), new Date(to.iso)) >= MOST_DATES) {
    throw new PipelineError(
      "INVALID_USAGE",
      `${from.iso} to ${to.iso} is more than ${MOST_DATES.toString()} days; use a shorter range`,
    );
  }
}

interface EndedLedger {
  readonly ledger: Ledger | undefined;
  readonly resumed: boolean;
  readonly fault: PipelineError | undefined;
}

async function runLedger(
  consumption: Consumption,
  settings: Settings,
  request: BackfillRequest,
  signal: AbortSignal,
  activity: BackfillActivity,
): Promise<EndedLedger> {
  const { hash: sqlHash } = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const ledgerRequest = { ...request, sqlHash };
  const unfinished = request.anew ? undefined : await openLedger(consumption, ledgerRequest);
  const ledger = unfinished ?? (await beginLedger(consumption, settings, ledgerRequest));
  const resumed = unfinished !== undefined;
  if (ledger === undefined) return { ledger, resumed, fault: undefined };
  activity.begin(ledger.dates, ledger.done);
  const left = ledger.dates.filter(({ partitionKey }) => !ledger.done.has(partitionKey));
  await runDates(settings, { ...request, dates: left }, signal, activity);
  const fault = faultOf(activity, signal);
  if (fault === undefined) await recordBackfillEnd(consumption, ledger.backfillId, new Date().toISOString());
  return { ledger, resumed, fault };
}

async function runDates(
  settings: Settings,
  request: BackfillRequest & { readonly dates: readonly ExecutionDate[] },
  signal: AbortSignal,
  activity: BackfillActivity,
): Promise<void> {
  const { continueOnError, dates, maxParallel, order } = request;
  const [first] = dates;
  if (first === undefined) return;
  const sharing = { ...settings, duckdb: { ...settings.duckdb, sessions: maxParallel } };
  const inOrder = order === "oldest-first" ? dates : dates.toReversed();
  const runAll = (raw: RawSource) =>
    sideBySide(
      inOrder,
      async (executionDate) => {
        if (signal.aborted || (activity.faults.length > 0 && !continueOnError)) return;
        await runDate(sharing, { ...request, executionDate, raw }, signal, activity);
      },
      maxParallel,
    );
  // A cluster cannot read temporary files of this machine.
  await (dates.length === 1 || settings.engine.kind === "spark"
    ? runAll(rawZone)
    : withSharedRaw(settings, first, signal, activity.shared, runAll));
}

/** A fault of one date is noted for that date, and does not affect the others. */
async function runDate(
  settings: Settings,
  { raw, ...given }: Omit<RunRequest, "stages">,
  signal: AbortSignal,
  activity: BackfillActivity,
): Promise<void> {
  const runActivity = new RunActivity(activity.log);
  const { executionDate, gate, keepStaged, replacesVersion, waitMilliseconds } = given;
  const request = {
    executionDate,
    gate,
    keepStaged,
    replacesVersion,
    stages: STAGES,
    waitMilliseconds,
    ...(raw && { raw }),
  };
  activity.note(executionDate, { state: "running" });
  try {
    const report = await runPipeline(settings, request, signal, runActivity);
    activity.note(executionDate, { state: "done", ...resultsOf(report) });
  } catch (thrown) {
    const error = faultOfWork(signal, thrown);
    if (!(error instanceof PipelineError)) throw error;
    if (error.kind === "cancelled") activity.note(executionDate, { state: "waiting" });
    else activity.noteFault(executionDate, error);
  }
  activity.note(executionDate, { warnings: runActivity.warnings });
}

function resultsOf({ answers, published, run_id, seconds, tables }: RunReport): Partial<BackfilledDate> {
  return {
    run_id,
    seconds,
    rows: tables.reduce((sum, { rows }) => sum + rows, 0),
    is_new: published?.isNew ?? null,
    changed: answers?.changed.count ?? null,
    certainty: answers?.certainty ?? null,
  };
}

/**
 * Why some dates are not done; undefined if all are. The earliest failed date decides, because a scheduler acts on
 * its fault.
 */
function faultOf({ dates, faults }: BackfillActivity, signal: AbortSignal): PipelineError | undefined {
  const done = dates.filter(({ state }) => state.startsWith("done")).length;
  // This also holds after a cancel that came too late: every date is done.
  if (done === dates.length) return undefined;
  const state = `${done.toString()} of ${dates.length.toString()} dates are done; run the same command again to continue`;
  if (signal.aborted) return new PipelineError("CANCELLED", `cancelled; ${state}`);
  const [first] = faults;
  if (first === undefined) return undefined;
  const { executionDate, fault } = first;
  return new PipelineError(fault.code, `${executionDate.iso}: ${fault.message}\n${state}`, {
    cause: fault,
    details: fault.details,
  });
}
