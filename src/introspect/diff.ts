import { PipelineError } from "../base/errors.js";
import { printable } from "../base/printable.js";
import type { Consumption } from "../consumption/consumption.js";
import { openConsumptionForReading } from "../consumption/open.js";
import { readAnswersOf } from "../consumption/publication-answers.js";
import { readNewestPublication, readPublication, readPublications } from "../consumption/publications.js";
import { nothingPublished } from "../run/publication-missing.js";
import type { Settings } from "../settings/settings.js";
import type { Answers, Cell } from "../voucher/answers.js";
import { changesBetween } from "../voucher/changes.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication.js";
import type { SegmentKind } from "../voucher/segments.js";

/** The answers that differ between two publications. */
export interface AnswersDiff {
  /** The execution date of the one that is compared with; null where there is none before. */
  readonly before: string | null;
  readonly after: string;
  /** How many answers the later one has. */
  readonly answers: number;
  /** How many differ. */
  readonly count: number;
  /** Those that differ, or the first of them. */
  readonly changes: readonly ChangedAnswer[];
}

/** A record is one value of a database, and is read with others: it does not grow with the number of countries. */
const CHANGES_IN_RECORD = 1_000;

/** An answer that is another one, by country and segment; null where there is none. */
export interface ChangedAnswer {
  readonly country_code: string;
  readonly segment_kind: SegmentKind;
  readonly segment: string;
  readonly before: AnswerInDiff | null;
  readonly after: AnswerInDiff | null;
}

export interface AnswerInDiff {
  readonly voucher_amount: number;
  readonly assignments: number;
  readonly segment_assignments: number;
}

/** Which publications to compare. */
export interface DiffRequest {
  /** The publication before the other one unless given. */
  readonly before: ExecutionDate | undefined;
  /** The newest publication unless given. */
  readonly after: ExecutionDate | undefined;
}

/**
 * Compares the answers of two publications.
 * @throws PipelineError PUBLICATION_MISSING where one is not there.
 */
export async function diffPublications(
  settings: Settings,
  { before, after }: DiffRequest,
  warn: (message: string) => void,
): Promise<AnswersDiff> {
  const consumption = await openConsumptionForReading(settings.consumptionUrl);
  if (consumption === undefined) throw nothingPublished();
  try {
    const answersOf = (publication: Publication) =>
      readAnswersOf(consumption, publication, { sqlDirectory: settings.sqlDirectory, warn });
    const later = await publicationOf(consumption, after);
    const earlier = await (before === undefined
      ? publicationBefore(consumption, later)
      : publicationOf(consumption, before));
    return diffOf(earlier && (await answersOf(earlier)), await answersOf(later));
  } finally {
    await consumption.close();
  }
}

/** What differs between two sets of answers. */
export function diffOf(before: Answers | undefined, after: Answers): AnswersDiff {
  const changes = before === undefined ? [] : changesBetween(before, after);
  return {
    before: before?.publication.executionDate.iso ?? null,
    after: after.publication.executionDate.iso,
    answers: after.size,
    count: changes.length,
    changes: changes.map((change) => ({
      country_code: change.countryCode,
      segment_kind: change.kind,
      segment: change.segment,
      before: answerInDiff(change.before),
      after: answerInDiff(change.after),
    })),
  };
}

/** What a record keeps of it. */
export function inRecord(diff: AnswersDiff): AnswersDiff {
  return { ...diff, changes: diff.changes.slice(0, CHANGES_IN_RECORD) };
}

/** `Australia · recency 90-120: 5720 → 2200, on 9,761 vouchers`. */
export function inWords({ country_code, segment_kind, segment, before, after }: ChangedAnswer): string {
  const kind = segment_kind.replace("_segment", "");
  const vouchers = (after ?? before)?.segment_assignments ?? 0;
  const amounts = `${amountOf(before)} → ${amountOf(after)}`;
  return `${printable(country_code)} · ${kind} ${segment}: ${amounts}, on ${vouchers.toLocaleString("en")} ${vouchers === 1 ? "voucher" : "vouchers"}`;
}

function amountOf(answer: AnswerInDiff | null): string {
  return answer?.voucher_amount.toString() ?? "no answer";
}

function answerInDiff(cell: Cell | undefined): AnswerInDiff | null {
  if (cell === undefined) return null;
  const { voucherAmount, assignments, segmentAssignments } = cell;
  return { voucher_amount: voucherAmount, assignments, segment_assignments: segmentAssignments };
}

async function publicationOf(
  consumption: Consumption,
  date: ExecutionDate | undefined,
): Promise<Publication> {
  const found = await (date === undefined
    ? readNewestPublication(consumption)
    : readPublication(consumption, date.partitionKey));
  if (found !== undefined) return found;
  throw date === undefined
    ? nothingPublished()
    : new PipelineError(
        "PUBLICATION_MISSING",
        `${date.iso} is not published; see pipeline runs -e ${date.iso}`,
      );
}

async function publicationBefore(
  consumption: Consumption,
  { executionDate }: Publication,
): Promise<Publication | undefined> {
  const [earlier] = await readPublications(consumption, { before: executionDate.partitionKey, limit: 1 });
  return earlier;
}
