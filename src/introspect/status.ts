import type { Consumption } from "../consumption/consumption.js";
import { readOpenWithdrawals } from "../consumption/publication-withdrawals.js";
import { readPublications } from "../consumption/read-publications.js";
import { readRunOutlines, readRuns, type RunOutline } from "../consumption/recorded-runs.js";
import type { RunOutcome } from "../consumption/schema.js";
import type { SqlVersion } from "../models/load.js";
import { isPublished } from "../models/model.js";
import { ignoredFilesOf, type IgnoredFiles, type SameBytes } from "../raw/file-notices.js";
import { sortedByName } from "../raw/inspect-raw.js";
import { findSameBytes } from "../raw/same-bytes.js";
import { withdrawalOf, type Withdrawal } from "../record/past-run.js";
import { reportOf } from "../record/run-record.js";
import {
  failureOf,
  type DateRuns,
  RawFilesNow,
  staleAmong,
  withRawFiles,
  type StaleDate,
} from "../run/date-runs.js";
import { publishedTable } from "../run/publish.js";
import type { Settings } from "../settings/settings.js";
import type { CertaintyCounts } from "../voucher/certainty.js";
import { isoOfKey, type ExecutionDate } from "../voucher/execution-date.js";
import { calendarDays } from "../voucher/moment.js";
import type { Publication } from "../voucher/publication-identity.js";
import type { Zone, ZoneFile } from "../zones/zone.js";
import { isIntact, readDeepStatus, type DeepStatus } from "./deep-status.js";
import { looking } from "./looking.js";

/** The state of the pipeline, and its problems. */
export interface StatusReport {
  readonly newest: NewestPublication | null;
  /** The days of the report, by default from the first to the newest publication; null if there are none. */
  readonly range: { readonly from: string; readonly to: string } | null;
  /** The number of published execution dates in the range. */
  readonly published: number;
  /** Days of the range without a publication, except withdrawn ones. */
  readonly missing: readonly string[];
  /** Withdrawn publications, which readers do not see; only those within the bounds, if there are any. */
  readonly withdrawn: readonly Withdrawal[];
  /** Execution dates of the range whose raw files have changed. */
  readonly stale: readonly StaleDate[];
  /** Execution dates of the range that were published with other SQL. They are valid, so nothing must be done. */
  readonly outdated: readonly OutdatedDate[];
  /** Execution dates with a failed run whose stages have not all succeeded since; the last such run of each. */
  readonly failed: readonly FailedRun[];
  /** Files of the raw zone that runs ignore because of their names. */
  readonly ignored_files: IgnoredFiles;
  /** Raw files with the same bytes; runs count the rows of all of them. */
  readonly same_bytes: readonly SameBytes[];
  /** The rows of the publications of the range, compared with the recorded ones; only on request. */
  readonly deep?: DeepStatus;
  /** Whether there is no problem. */
  readonly healthy: boolean;
}

export interface NewestPublication {
  readonly execution_date: string;
  readonly published_at: string;
  /** In calendar days; 0 if the execution date is today or ahead of the clock. */
  readonly age_days: number;
  /** The number of calendar days that the execution date is ahead of the clock, if it is. */
  readonly days_ahead?: number;
  /** Whether that is more than the limit. */
  readonly too_old: boolean;
  /** The number of answers. Null if the record of its run is missing, or from an older version. */
  readonly answers: number | null;
  /** The number of answers that are sure, likely and toss-ups. */
  readonly certainty: CertaintyCounts | null;
}

/** An execution date that was published with other SQL than the current one. */
export interface OutdatedDate {
  readonly execution_date: string;
  readonly sql_version: string;
  readonly sql_hash: string;
  /** Whether a run of the date needs `--replace-version`. */
  readonly replaces_version: boolean;
}

export interface FailedRun {
  readonly execution_date: string;
  readonly run_id: string;
  readonly outcome: RunOutcome;
  readonly error_code: string | null;
  readonly started_at: string;
}

/** The parts of the report. */
export interface StatusRequest {
  /** The first and the last day; by default those of the first and the newest publication. */
  readonly from: ExecutionDate | undefined;
  readonly to: ExecutionDate | undefined;
  /** The age in days above which the newest publication is too old. */
  readonly maxAgeDays: number | undefined;
  /** Whether to read every published row, too. */
  readonly deep?: boolean;
  readonly now: Date;
}

/** Reads the state of the pipeline, and changes nothing. */
export function readStatus(settings: Settings, request: StatusRequest): Promise<StatusReport> {
  return looking(settings, undefined, async (opened) => {
    const consumption = await opened.database();
    if (consumption === undefined)
      return statusOf(publishedWithin([], [], request), NO_ANSWERS, NOTHING_WRONG, NO_NOTICES, request);
    const published = publishedWithin(
      await readPublications(consumption),
      (await readOpenWithdrawals(consumption)).map(withdrawalOf),
      request,
    );
    const runs = await readRunOutlines(consumption);
    const { stale, notices } = await withRawFiles(settings, async (zone, listed) => ({
      stale: await staleAmong(consumption, published.inRange, runs, new RawFilesNow(zone, listed)),
      notices: await noticesOn(zone, listed),
    }));
    const answers = await answersOf(consumption, published.newest);
    const version = await opened.sql();
    const { models } = version;
    const dates = { stale, outdated: outdatedDates(published.inRange, version), failed: failedDates(runs) };
    const status = statusOf(published, answers, dates, notices, request);
    if (request.deep !== true) return status;
    const tables = models.filter(isPublished).map(publishedTable);
    const deep = await readDeepStatus(consumption, published.inRange, tables, (iso) =>
      isWithin(boundsOf(request), iso),
    );
    return { ...status, deep, healthy: status.healthy && isIntact(deep) };
  });
}

/** The publications, and those within the request. */
interface Published {
  readonly newest: Publication | undefined;
  readonly range: StatusReport["range"];
  readonly inRange: readonly Publication[];
  readonly withdrawn: readonly Withdrawal[];
}

function publishedWithin(
  publications: readonly Publication[],
  withdrawn: readonly Withdrawal[],
  request: StatusRequest,
): Published {
  const range = rangeOf(
    publications.map(({ executionDate }) => dayOf(executionDate.iso)),
    request,
  );
  return {
    newest: publications[0],
    range,
    inRange: publications.filter(({ executionDate }) => range !== null && isWithin(range, executionDate.iso)),
    // Withdrawals are listed outside the range, too, and do not count as missing days.
    withdrawn: withdrawn.filter(({ execution_date }) => isWithin(boundsOf(request), execution_date)),
  };
}

function statusOf(
  { newest: newestPublication, range, inRange, withdrawn }: Published,
  answers: PublishedAnswers,
  { stale, outdated, failed }: DatesToLookAt,
  notices: RawNotices,
  request: StatusRequest,
): StatusReport {
  const known = [
    ...inRange.map(({ executionDate }) => executionDate.iso),
    ...withdrawn.map((one) => one.execution_date),
  ];
  const days = new Set(known.map(dayOf));
  const missing = range === null ? [] : daysOf(range).filter((day) => !days.has(day));
  const newest = newestOf(newestPublication, answers, request);
  return {
    newest,
    range,
    published: inRange.length,
    missing,
    withdrawn,
    stale,
    outdated,
    failed,
    ...notices,
    healthy:
      newest?.too_old === false && [missing, withdrawn, stale, failed].every(({ length }) => length === 0),
  };
}

type DatesToLookAt = Pick<StatusReport, "stale" | "outdated" | "failed">;

const NOTHING_WRONG: DatesToLookAt = { stale: [], outdated: [], failed: [] };

function outdatedDates(
  publications: readonly Publication[],
  { name, hash: sqlHash }: Pick<SqlVersion, "name" | "hash">,
): OutdatedDate[] {
  return publications
    .filter((publication) => publication.sqlHash !== sqlHash)
    .map(({ executionDate, sqlVersion, sqlHash: hash }) => ({
      execution_date: executionDate.iso,
      sql_version: sqlVersion,
      sql_hash: hash,
      replaces_version: sqlVersion !== name,
    }));
}

function newestOf(
  newest: Publication | undefined,
  answers: PublishedAnswers,
  { maxAgeDays = Infinity, now }: StatusRequest,
): NewestPublication | null {
  if (newest === undefined) return null;
  const { executionDate, publishedAt } = newest;
  const age = calendarDays(new Date(executionDate.iso), now);
  return {
    execution_date: executionDate.iso,
    published_at: publishedAt,
    age_days: Math.max(0, age),
    ...(age < 0 && { days_ahead: -age }),
    too_old: age > maxAgeDays,
    ...answers,
  };
}

type PublishedAnswers = Pick<NewestPublication, "answers" | "certainty">;

const NO_ANSWERS: PublishedAnswers = { answers: null, certainty: null };

/** The recorded facts about the answers of a publication. */
async function answersOf(
  consumption: Consumption,
  publication: Publication | undefined,
): Promise<PublishedAnswers> {
  if (publication === undefined) return NO_ANSWERS;
  const [run] = await readRuns(consumption, { runId: publication.runId, limit: 1 });
  const told = run && reportOf(run)?.answers;
  return told == null ? NO_ANSWERS : { answers: told.changed.answers, certainty: told.certainty };
}

type Bounds = Pick<StatusRequest, "from" | "to">;

function rangeOf(days: readonly string[], bounds: Bounds): StatusReport["range"] {
  const sorted = days.toSorted();
  const { from = sorted[0], to = sorted.at(-1) } = boundsOf(bounds);
  return from === undefined || to === undefined ? null : { from, to };
}

function boundsOf({ from, to }: Bounds): { from: string | undefined; to: string | undefined } {
  return { from: from && dayOf(from.iso), to: to && dayOf(to.iso) };
}

function isWithin({ from, to }: { from: string | undefined; to: string | undefined }, iso: string): boolean {
  const day = dayOf(iso);
  return (from === undefined || day >= from) && (to === undefined || day <= to);
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

type RawNotices = Pick<StatusReport, "ignored_files" | "same_bytes">;

const NO_NOTICES: RawNotices = { ignored_files: ignoredFilesOf([]), same_bytes: [] };

async function noticesOn(zone: Zone, listed: readonly ZoneFile[]): Promise<RawNotices> {
  const { files, ignored } = sortedByName(listed);
  return { ignored_files: ignoredFilesOf(ignored), same_bytes: await findSameBytes(zone, files) };
}

/** The execution dates with a failure and no later success, the latest first. */
function failedDates(runs: ReadonlyMap<string, DateRuns>): FailedRun[] {
  return [...runs.values()]
    .map(failureOf)
    .filter((failure) => failure !== undefined)
    .map(({ execution_date, run_id, outcome, error_code, started_at }: RunOutline) => ({
      execution_date: isoOfKey(execution_date),
      run_id,
      outcome,
      error_code,
      started_at,
    }))
    .sort((a, b) => (a.execution_date < b.execution_date ? 1 : -1));
}
