import { randomBytes } from "node:crypto";
import { recordBackfill, unfinishedBackfill } from "../../consumption/backfills.js";
import { damaged, storedJson, type Consumption } from "../../consumption/consumption.js";
import { readPublications } from "../../consumption/publications.js";
import { hasFailed, readRunHistory } from "../../consumption/runs.js";
import type { BackfillsTable, PipelineRunsTable } from "../../consumption/tables.js";
import { readOpenWithdrawals } from "../../consumption/withdrawals.js";
import type { Settings } from "../../settings.js";
import { sideBySide } from "../../side-by-side.js";
import { dailyExecutionDates, executionDateOfKey, type ExecutionDate } from "../../voucher/execution-date.js";
import { startedBy } from "../started-by.js";
import { MOST_PUBLICATIONS, staleDates } from "../status.js";
import type { Selection } from "./report.js";

/** Which dates a ledger is about. */
export interface LedgerRequest {
  readonly from: ExecutionDate;
  readonly to: ExecutionDate;
  readonly only: Selection;
  readonly sqlHash: string;
}

/** The execution dates that a backfill runs, and those of them that it has run, and well. */
export interface Ledger {
  readonly backfillId: string;
  readonly startedAt: string;
  readonly dates: readonly ExecutionDate[];
  /** By their partition keys. */
  readonly done: ReadonlySet<string>;
}

/** The ledger of the same request that was not come to the end of, or undefined where there is none. */
export async function openLedger(
  consumption: Consumption,
  request: LedgerRequest,
): Promise<Ledger | undefined> {
  const backfill = await unfinishedBackfill(consumption, rowOf(request));
  if (backfill === undefined) return undefined;
  const dates = datesOf(backfill);
  return {
    backfillId: backfill.backfill_id,
    startedAt: backfill.started_at,
    dates,
    done: await doneSince(consumption, dates, backfill.started_at),
  };
}

/** Chooses the dates of a request, and makes a ledger of them; undefined where there are none. */
export async function beginLedger(
  consumption: Consumption,
  settings: Settings,
  request: LedgerRequest,
): Promise<Ledger | undefined> {
  const dates = await choose(consumption, settings, request);
  if (dates.length === 0) return undefined;
  const startedAt = new Date().toISOString();
  const backfillId = `backfill-${randomBytes(6).toString("hex")}`;
  await recordBackfill(consumption, {
    ...rowOf(request),
    backfill_id: backfillId,
    execution_dates: JSON.stringify(dates.map(({ partitionKey }) => partitionKey)),
    started_at: startedAt,
    started_by: startedBy(),
  });
  return { backfillId, startedAt, dates, done: new Set() };
}

function rowOf({ from, to, only, sqlHash }: LedgerRequest) {
  return {
    first_date: from.partitionKey,
    last_date: to.partitionKey,
    selection: only,
    sql_hash: sqlHash,
  };
}

function datesOf({ backfill_id, execution_dates }: BackfillsTable): ExecutionDate[] {
  return (storedJson(execution_dates, `the backfill ${backfill_id} with dates`) as string[]).map((key) => {
    const date = executionDateOfKey(key);
    if (date === undefined)
      throw damaged(`the backfill ${backfill_id} of ${key}, which is not an execution date`);
    return date;
  });
}

async function choose(
  consumption: Consumption,
  settings: Settings,
  { from, to, only }: LedgerRequest,
): Promise<ExecutionDate[]> {
  const dates = [...dailyExecutionDates(from, to)];
  if (only === "all") return dates;
  if (only === "failed") return ofLastRun(consumption, dates, hasFailed);
  const publications = await readPublications(consumption, { limit: MOST_PUBLICATIONS });
  const published = new Map(publications.map((one) => [one.executionDate.partitionKey, one]));
  if (only === "missing") {
    const withdrawn = new Set((await readOpenWithdrawals(consumption)).map((one) => one.execution_date));
    return dates.filter(({ partitionKey }) => !published.has(partitionKey) && !withdrawn.has(partitionKey));
  }
  const inRange = dates.flatMap(({ partitionKey }) => published.get(partitionKey) ?? []);
  const stale = new Set(
    (await staleDates(settings, consumption, inRange)).map((date) => date.execution_date),
  );
  return dates.filter(({ iso }) => stale.has(iso));
}

async function doneSince(
  consumption: Consumption,
  dates: readonly ExecutionDate[],
  since: string,
): Promise<Set<string>> {
  const done = await ofLastRun(
    consumption,
    dates,
    ({ outcome, started_at }) => outcome === "succeeded" && started_at >= since,
  );
  return new Set(done.map(({ partitionKey }) => partitionKey));
}

/** The dates whose last run is as asked for. */
async function ofLastRun(
  consumption: Consumption,
  dates: readonly ExecutionDate[],
  isAsked: (run: PipelineRunsTable) => boolean,
): Promise<ExecutionDate[]> {
  const found = await sideBySide(dates, async ({ partitionKey }) => {
    const [run] = await readRunHistory(consumption, { executionDate: partitionKey, limit: 1 });
    return run !== undefined && isAsked(run);
  });
  return dates.filter((_, index) => found[index]);
}
