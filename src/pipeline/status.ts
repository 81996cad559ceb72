import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open.js";
import { readPublications } from "../consumption/publications.js";
import { hasFailed, readRunHistory } from "../consumption/runs.js";
import type { RunOutcome } from "../consumption/tables.js";
import { readOpenWithdrawals } from "../consumption/withdrawals.js";
import { loadSqlVersion } from "../models/load.js";
import { isPublished, isRaw } from "../models/model.js";
import { sortedByName } from "../raw/inspect.js";
import { findSameBytes, ignoredFilesOf, type IgnoredFiles, type SameBytes } from "../raw/notices.js";
import type { Settings } from "../settings.js";
import { calendarDays } from "../voucher/calendar-days.js";
import { isoOfKey, type ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication.js";
import { openZones } from "../zones/open.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import { isIntact, readDeepStatus, type DeepStatus } from "./deep-status.js";
import { publishedTable } from "./publish.js";
import { changedInputs, RawFilesNow, type ChangedInput } from "./stale.js";
import { toldWithdrawal, type ToldWithdrawal } from "./withdrawals.js";

/** Some 27 years of days. */
export const MOST_PUBLICATIONS = 10_000;
const RUNS_LOOKED_AT = 1_000;

/** How the pipeline stands, and what somebody should do something about. */
export interface StatusReport {
  readonly newest: NewestPublication | null;
  /** The days that are looked at; null where nothing is published and no range was given. */
  readonly range: { readonly from: string; readonly to: string } | null;
  /** How many execution dates of the range are published. */
  readonly published: number;
  /** Days of the range without a publication, but for those of which it was withdrawn. */
  readonly missing: readonly string[];
  /** Publications of the range that were taken back, so that readers do not see them. */
  readonly withdrawn: readonly ToldWithdrawal[];
  /** Execution dates of the range whose raw files are not what they were made from. */
  readonly stale: readonly StaleDate[];
  /** Execution dates whose last run has come to no good end. */
  readonly failed: readonly FailedRun[];
  /** Files of the raw zone that no run reads because of their names. */
  readonly ignored_files: IgnoredFiles;
  /** Raw files that hold the same bytes; runs count the rows of all of them. */
  readonly same_bytes: readonly SameBytes[];
  /** The rows of the publications of the range, compared with what was published; only where that was asked for. */
  readonly deep?: DeepStatus;
  /** Whether nothing has to be done. */
  readonly healthy: boolean;
}

export interface NewestPublication {
  readonly execution_date: string;
  readonly published_at: string;
  readonly age_days: number;
  /** Whether that is more than was asked for. */
  readonly too_old: boolean;
}

export interface StaleDate {
  readonly execution_date: string;
  readonly files: readonly ChangedInput[];
}

export interface FailedRun {
  readonly execution_date: string;
  readonly run_id: string;
  readonly outcome: RunOutcome;
  readonly error_code: string | null;
  readonly started_at: string;
}

/** What to look at. */
export interface StatusRequest {
  /** The first and the last day; those of the first and the newest publication unless given. */
  readonly from: ExecutionDate | undefined;
  readonly to: ExecutionDate | undefined;
  /** From how many days on the newest publication is too old. */
  readonly maxAgeDays: number | undefined;
  /** Whether to read every row that is published, too. */
  readonly deep?: boolean;
  readonly now: Date;
}

/** Looks how the pipeline stands, and changes nothing. */
export async function readStatus(settings: Settings, request: StatusRequest): Promise<StatusReport> {
  const consumption = await openConsumptionForReading(settings.consumptionUrl);
  if (consumption === undefined)
    return statusOf(publishedWithin([], [], request), [], [], NO_NOTICES, request);
  try {
    const published = publishedWithin(
      await readPublications(consumption, { limit: MOST_PUBLICATIONS }),
      (await readOpenWithdrawals(consumption)).map(toldWithdrawal),
      request,
    );
    const { stale, notices } = await withRawFiles(settings, async (zone, listed) => ({
      stale: await staleAmong(consumption, published.inRange, new RawFilesNow(zone, listed)),
      notices: await noticesOn(zone, listed),
    }));
    const status = statusOf(published, stale, await failedRuns(consumption), notices, request);
    if (request.deep !== true) return status;
    const { models } = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
    const tables = models.filter(isPublished).map(publishedTable);
    const deep = await readDeepStatus(consumption, published.inRange, tables);
    return { ...status, deep, healthy: status.healthy && isIntact(deep) };
  } finally {
    await consumption.close();
  }
}

/** What is published, and what of it the request is about. */
interface Published {
  readonly newest: Publication | undefined;
  readonly range: StatusReport["range"];
  readonly inRange: readonly Publication[];
  readonly withdrawn: readonly ToldWithdrawal[];
}

function publishedWithin(
  publications: readonly Publication[],
  withdrawn: readonly ToldWithdrawal[],
  request: StatusRequest,
): Published {
  const published = publications.map(({ executionDate }) => dayOf(executionDate.iso));
  const range = rangeOf(
    [...published, ...withdrawn.map(({ execution_date }) => dayOf(execution_date))],
    request,
  );
  return {
    newest: publications[0],
    range,
    inRange: publications.filter(({ executionDate }) => isWithin(range, executionDate.iso)),
    withdrawn: withdrawn.filter(({ execution_date }) => isWithin(range, execution_date)),
  };
}

function statusOf(
  { newest: newestPublication, range, inRange, withdrawn }: Published,
  stale: readonly StaleDate[],
  failed: readonly FailedRun[],
  notices: RawNotices,
  request: StatusRequest,
): StatusReport {
  const known = [
    ...inRange.map(({ executionDate }) => executionDate.iso),
    ...withdrawn.map((one) => one.execution_date),
  ];
  const days = new Set(known.map(dayOf));
  const missing = range === null ? [] : daysOf(range).filter((day) => !days.has(day));
  const newest = newestOf(newestPublication, request);
  return {
    newest,
    range,
    published: inRange.length,
    missing,
    withdrawn,
    stale,
    failed,
    ...notices,
    healthy:
      newest?.too_old === false && [missing, withdrawn, stale, failed].every(({ length }) => length === 0),
  };
}

function newestOf(
  newest: Publication | undefined,
  { maxAgeDays = Infinity, now }: StatusRequest,
): NewestPublication | null {
  if (newest === undefined) return null;
  const { executionDate, publishedAt } = newest;
  const age = calendarDays(new Date(executionDate.iso), now);
  return {
    execution_date: executionDate.iso,
    published_at: publishedAt,
    age_days: age,
    too_old: age > maxAgeDays,
  };
}

function rangeOf(
  days: readonly string[],
  { from, to }: Pick<StatusRequest, "from" | "to">,
): StatusReport["range"] {
  const sorted = days.toSorted();
  const first = from === undefined ? sorted[0] : dayOf(from.iso);
  const last = to === undefined ? sorted.at(-1) : dayOf(to.iso);
  return first === undefined || last === undefined ? null : { from: first, to: last };
}

function isWithin(range: StatusReport["range"], iso: string): boolean {
  const day = dayOf(iso);
  return range !== null && day >= range.from && day <= range.to;
}

function daysOf({ from, to }: NonNullable<StatusReport["range"]>): string[] {
  const days: string[] = [];
  const day = new Date(`${from}T00:00:00Z`);
  for (let text = from; text <= to; text = day.toISOString().slice(0, 10)) {
    days.push(text);
    day.setUTCDate(day.getUTCDate() + 1);
  }
  return days;
}

function dayOf(iso: string): string {
  return iso.slice(0, 10);
}

/** The publications whose raw files are not what they were made from. */
export async function staleDates(
  settings: Settings,
  consumption: Consumption,
  publications: readonly Publication[],
): Promise<StaleDate[]> {
  return withRawFiles(settings, (zone, listed) =>
    staleAmong(consumption, publications, new RawFilesNow(zone, listed)),
  );
}

async function staleAmong(
  consumption: Consumption,
  publications: readonly Publication[],
  rawFiles: RawFilesNow,
): Promise<StaleDate[]> {
  const stale: StaleDate[] = [];
  for (const publication of publications) {
    const files = (await changedInputs(consumption, publication, rawFiles)) ?? [];
    if (files.length > 0) stale.push({ execution_date: publication.executionDate.iso, files });
  }
  return stale;
}

/** Lists the folders of the raw models once. */
async function withRawFiles<Result>(
  settings: Settings,
  use: (zone: Zone, listed: readonly ZoneFile[]) => Promise<Result>,
): Promise<Result> {
  const { models } = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const zones = await openZones(settings);
  try {
    const listed = await Promise.all(models.filter(isRaw).map(({ header }) => zones.raw.list(header.folder)));
    return await use(zones.raw, listed.flat());
  } finally {
    zones.close();
  }
}

type RawNotices = Pick<StatusReport, "ignored_files" | "same_bytes">;

const NO_NOTICES: RawNotices = { ignored_files: ignoredFilesOf([]), same_bytes: [] };

async function noticesOn(zone: Zone, listed: readonly ZoneFile[]): Promise<RawNotices> {
  const { files, ignored } = sortedByName(listed);
  return { ignored_files: ignoredFilesOf(ignored), same_bytes: await findSameBytes(zone, files) };
}

/**
 * The execution dates whose last run has come to no good end, the latest first. One that was run again, and well, needs
 * nobody any more.
 */
async function failedRuns(consumption: Consumption): Promise<FailedRun[]> {
  const runs = await readRunHistory(consumption, { limit: RUNS_LOOKED_AT });
  const last = new Map(runs.toReversed().map((run) => [run.execution_date, run]));
  return [...last.values()]
    .filter(hasFailed)
    .map(({ execution_date, run_id, outcome, error_code, started_at }) => ({
      execution_date: isoOfKey(execution_date),
      run_id,
      outcome,
      error_code,
      started_at,
    }))
    .sort((a, b) => (a.execution_date < b.execution_date ? 1 : -1));
}
