import { randomBytes } from "node:crypto";
import { startedBy } from "../../base/this-process.js";
import { damaged, storedJson, type Consumption } from "../../consumption/consumption.js";
import { readOpenWithdrawals } from "../../consumption/publication-withdrawals.js";
import { readPublications } from "../../consumption/read-publications.js";
import {
  readRunOutlines,
  recordBackfill,
  unfinishedBackfill,
  type OrderedBackfill,
} from "../../consumption/recorded-runs.js";
import type { BackfillsTable } from "../../consumption/schema.js";
import { STAGES } from "../../record/stages.js";
import type { Settings } from "../../settings/settings.js";
import { dailyExecutionDates, executionDateOfKey, type ExecutionDate } from "../../voucher/execution-date.js";
import { failureOf, stagesLeft, staleDates } from "../date-runs.js";
import type { Selection } from "./backfill-report.js";

/** The request of a ledger. */
export interface LedgerRequest {
  readonly from: ExecutionDate;
  readonly to: ExecutionDate;
  readonly only: Selection;
  readonly sqlHash: string;
}

/** The execution dates of a backfill, and those that it has finished successfully. */
export interface Ledger {
  readonly backfillId: string;
  readonly startedAt: string;
  readonly dates: readonly ExecutionDate[];
  /** By their partition keys. */
  readonly done: ReadonlySet<string>;
}

/** The unfinished ledger of the same request; undefined if there is none. */
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
    done: await doneSince(consumption, dates, backfill),
  };
}

/** Selects the dates of a request, and creates a ledger of them; undefined if there are none. */
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
  { from, to, only, sqlHash }: LedgerRequest,
): Promise<ExecutionDate[]> {
  const dates = [...dailyExecutionDates(from, to)];
  if (only === "all") return dates;
  if (only === "failed") {
    const runs = await readRunOutlines(consumption);
    return dates.filter(({ partitionKey }) => failureOf(runs.get(partitionKey) ?? []) !== undefined);
  }
  const publications = await readPublications(consumption, { upTo: to.partitionKey });
  const published = new Map(publications.map((one) => [one.executionDate.partitionKey, one]));
  if (only === "missing") {
    const withdrawn = new Set((await readOpenWithdrawals(consumption)).map((one) => one.execution_date));
    return dates.filter(({ partitionKey }) => !published.has(partitionKey) && !withdrawn.has(partitionKey));
  }
  if (only === "outdated") {
    return dates.filter(({ partitionKey }) => {
      const publication = published.get(partitionKey);
      return publication !== undefined && publication.sqlHash !== sqlHash;
    });
  }
  const inRange = dates.flatMap(({ partitionKey }) => published.get(partitionKey) ?? []);
  const runs = await readRunOutlines(consumption);
  const stale = new Set(
    (await staleDates(settings, consumption, inRange, runs)).map((date) => date.execution_date),
  );
  return dates.filter(({ iso }) => stale.has(iso));
}

/** The dates whose stages have all succeeded since the backfill began, by their partition keys. */
async function doneSince(
  consumption: Consumption,
  dates: readonly ExecutionDate[],
  { sequence: began }: Pick<OrderedBackfill, "sequence">,
): Promise<Set<string>> {
  // A backfill without a place cannot show which runs came later: its dates run again.
  if (began === null) return new Set();
  const runs = await readRunOutlines(consumption);
  const done = dates.filter(({ partitionKey }) => {
    const since = (runs.get(partitionKey) ?? []).filter(({ sequence }) => (sequence ?? Infinity) > began);
    return stagesLeft(STAGES, since).length === 0;
  });
  return new Set(done.map(({ partitionKey }) => partitionKey));
}
