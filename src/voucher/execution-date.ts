import { PipelineError } from "../base/errors.js";
import { dayInWords, dayOfWords } from "../base/words.js";

const FORMS = /^(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2}):(\d{2})Z?)?$/;
const KEY = /^(\d{4}-\d{2}-\d{2})T(\d{2})(\d{2})(\d{2})$/;

const MILLISECONDS_AHEAD = 24 * 60 * 60 * 1_000;

/** The time at which a run sees the data, in UTC, to the second. */
export interface ExecutionDate {
  /** The name of its partition: the time without colons, `2020-05-29T000000`. */
  readonly partitionKey: string;
  /** The form for SQL: `2020-05-29 00:00:00`. */
  readonly timestamp: string;
  /** The form for people and machines: `2020-05-29T00:00:00Z`. */
  readonly iso: string;
}

/**
 * Reads `2020-05-29`, `2020-05-29T06:00:00` or `2020-05-29T06:00:00Z`, always as UTC.
 * @throws PipelineError INVALID_EXECUTION_DATE for any other text and for days and hours that do not exist.
 */
export function parseExecutionDate(text: string): ExecutionDate {
  const executionDate = maybeExecutionDate(text);
  if (executionDate === undefined) throw invalid(text);
  return executionDate;
}

/** The same; undefined for any other text. */
export function maybeExecutionDate(text: string): ExecutionDate | undefined {
  const match = FORMS.exec(text);
  if (match === null) return undefined;
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00"] = match;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}Z`;
  // A day that does not exist, such as 30 February, would roll over into the next month.
  const moment = new Date(iso);
  if (Number.isNaN(moment.getTime()) || !moment.toISOString().startsWith(iso.slice(0, 19))) return undefined;
  return {
    partitionKey: `${year}-${month}-${day}T${hour}${minute}${second}`,
    timestamp: `${year}-${month}-${day} ${hour}:${minute}:${second}`,
    iso,
  };
}

/**
 * Reads the execution date of a run. A mistyped year would publish the newest date, and hide all publications until
 * that year.
 * @param allowsFuture whether it may be more than 24 hours ahead of the clock.
 * @throws PipelineError INVALID_EXECUTION_DATE.
 */
export function parseDateToWrite(
  text: string,
  { allowsFuture, now = new Date() }: { readonly allowsFuture: boolean; readonly now?: Date },
): ExecutionDate {
  const executionDate = parseExecutionDate(text);
  const { iso } = executionDate;
  if (allowsFuture || new Date(iso).getTime() - now.getTime() <= MILLISECONDS_AHEAD) return executionDate;
  throw new PipelineError(
    "INVALID_EXECUTION_DATE",
    `${iso} is more than 24 hours in the future; the clock shows ${now.toISOString()}. ` +
      "Correct the date or the clock. If the date is right, add --allow-future",
  );
}

/** The execution date of a partition key such as `2020-05-29T000000`; undefined for any other text. */
export function executionDateOfKey(text: string): ExecutionDate | undefined {
  const [, day, hour, minute, second] = KEY.exec(text) ?? [];
  if (day === undefined) return undefined;
  return maybeExecutionDate(`${day}T${hour ?? ""}:${minute ?? ""}:${second ?? ""}`);
}

/**
 * Reads an execution date in any form that the project shows: as people write it, as a partition key
 * (`2020-05-29T000000`), in SQL (`2020-05-29 00:00:00`), and in words (`29 May 2020`).
 * @returns undefined for any other text.
 */
export function executionDateAsShown(text: string): ExecutionDate | undefined {
  return (
    maybeExecutionDate(text) ??
    executionDateOfKey(text) ??
    maybeExecutionDate(text.replace(/^(\S{10}) /, "$1T")) ??
    executionDateOfWords(text)
  );
}

/** The execution date of the words from {@link dateInWords}. */
function executionDateOfWords(text: string): ExecutionDate | undefined {
  const [, words = "", time = "00:00:00"] = /^([^,]{9,20})(?:, (\d{2}:\d{2}:\d{2}) UTC)?$/.exec(text) ?? [];
  const day = dayOfWords(words);
  return day === undefined ? undefined : maybeExecutionDate(`${day}T${time}`);
}

/** The execution dates from one to another, both included, one day apart; none if the last is before the first. */
export function* dailyExecutionDates(first: ExecutionDate, last: ExecutionDate): Generator<ExecutionDate> {
  const moment = new Date(first.iso);
  for (let date = first; date.iso <= last.iso; date = parseExecutionDate(moment.toISOString().slice(0, 19))) {
    yield date;
    moment.setUTCDate(moment.getUTCDate() + 1);
  }
}

/** The ISO form of a partition key; any other text stays the same. */
export function isoOfKey(text: string): string {
  return executionDateOfKey(text)?.iso ?? text;
}

function invalid(text: string): PipelineError {
  return new PipelineError(
    "INVALID_EXECUTION_DATE",
    `${JSON.stringify(text)} is not a valid date. ` + "Use for example 2020-05-29 or 2020-05-29T06:00:00Z",
  );
}

/** An execution date in words: `29 May 2020`, with the hour if it is not midnight. */
export function dateInWords({ iso }: ExecutionDate): string {
  const moment = new Date(iso);
  return iso.endsWith("T00:00:00Z") ? dayInWords(moment) : `${dayInWords(moment)}, ${iso.slice(11, 19)} UTC`;
}

/** An execution date in ISO form, without the hour if it is midnight: `2020-05-29`. */
export function shortIso({ iso }: ExecutionDate): string {
  return iso.replace("T00:00:00Z", "");
}
