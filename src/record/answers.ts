import { counted, counting, percent, printable } from "../base/words.js";
import { CERTAINTY_WORDS, countByWord, type Certainty, type CertaintyCounts } from "../voucher/certainty.js";
import { changesBetween, inOrder } from "../voucher/changes.js";
import type { Answers, Cell, Place, PlacedCell } from "../voucher/published-answers.js";
import type { AnswersDiff, AnswersReport, ChangedAnswer, PlacedAnswer, ToldAnswer } from "./run-record.js";

/** A record is one value of a database, and is read with others, so it must not grow with the number of countries. */
const CHANGES_IN_RECORD = 1_000;
/** The number of the least certain answers in a record, and of those with the most vouchers. */
const LEAST_CERTAIN = 20;
const LARGEST = 3;

/** The report of a publication's answers, compared with the previous ones. */
export function answersReportOf(after: Answers, changed: AnswersDiff): AnswersReport {
  const cells = inOrder([...after.cells()], after);
  return {
    changed: inRecord(changed),
    certainty: countByWord(cells.map(({ cell }) => cell.certainty)) ?? null,
    least_certain: cells
      .filter(({ cell }) => cell.certainty !== undefined && cell.certainty.word !== "sure")
      .sort((a, b) => chanceOf(a) - chanceOf(b) || vouchersOf(a) - vouchersOf(b))
      .slice(0, LEAST_CERTAIN)
      .map(placedAnswer),
    largest: cells
      .sort((a, b) => vouchersOf(b) - vouchersOf(a))
      .slice(0, LARGEST)
      .map(placedAnswer),
  };
}

/** The differences between two sets of answers. Those with the most vouchers come first. */
export function diffOf(before: Answers | undefined, after: Answers): AnswersDiff {
  const changes = before === undefined ? [] : changesBetween(before, after);
  return {
    before: before?.publication.executionDate.iso ?? null,
    after: after.publication.executionDate.iso,
    answers: after.size,
    count: changes.length,
    gone: changes.filter(({ after: told }) => told === undefined).length,
    changes: changes
      .map((change) => ({ ...placeOf(change), before: toldOf(change.before), after: toldOf(change.after) }))
      .sort((a, b) => vouchersDeciding(b) - vouchersDeciding(a)),
  };
}

/** The number of answers in the two sets together. */
export function comparedIn({ answers, gone }: Pick<AnswersDiff, "answers" | "gone">): number {
  return answers + gone;
}

/** The part of the differences that a record keeps. */
export function inRecord(diff: AnswersDiff): AnswersDiff {
  return { ...diff, changes: diff.changes.slice(0, CHANGES_IN_RECORD) };
}

/** `Australia · recency 90-120: 5720 → 2200, sure (over 99.9%), on 9,761 vouchers`. */
export function changeInWords(change: ChangedAnswer): string {
  const { before, after } = change;
  const amounts = `${amountOf(before)} → ${amountOf(after)}`;
  const certainty = after?.certainty_word == null ? "" : `, ${certaintyInWords(after)}`;
  const vouchers = counting(vouchersDeciding(change), "voucher");
  return `${placeInWords(change)}: ${amounts}${certainty}, on ${vouchers}`;
}

/** `Australia · frequent 0-4: 2200, sure (over 99.9%), on 25,971 vouchers`. */
export function answerInWords(answer: PlacedAnswer): string {
  const { voucher_amount, segment_assignments } = answer;
  const certainty = answer.certainty_word === null ? "" : `, ${certaintyInWords(answer)}`;
  return `${placeInWords(answer)}: ${voucher_amount.toString()}${certainty}, on ${counting(segment_assignments, "voucher")}`;
}

/** `Australia · frequent 0-4`. */
export function placeInWords({
  country_code,
  segment_kind,
  segment,
}: Pick<PlacedAnswer, "country_code" | "segment_kind" | "segment">): string {
  return `${printable(country_code)} · ${segment_kind.replace("_segment", "")} ${segment}`;
}

/** `likely (81.2%)`; `not known` for answers of older SQL. */
export function certaintyInWords({
  certainty,
  certainty_word,
}: Pick<ToldAnswer, "certainty" | "certainty_word">): string {
  if (certainty === null || certainty_word === null) return "not known";
  return `${certainty_word} (${chanceInWords(certainty)})`;
}

const ALL_BUT_CERTAIN = 0.9995;

/** A chance as a percentage. A chance from a sample is never certain. */
export function chanceInWords(chance: number): string {
  return chance >= ALL_BUT_CERTAIN ? "over 99.9%" : percent(chance);
}

/** `32 are sure, 4 likely and 4 toss-ups`. */
export function countsInWords(counts: CertaintyCounts): string {
  const [sure, likely, tossUp] = CERTAINTY_WORDS.map((word) => counts[word]);
  const verb = sure === 1 ? "is" : "are";
  return `${counted(sure ?? 0)} ${verb} sure, ${counted(likely ?? 0)} likely and ${counting(tossUp ?? 0, "toss-up")}`;
}

function amountOf(answer: ToldAnswer | null): string {
  return answer?.voucher_amount.toString() ?? "no answer";
}

function vouchersDeciding({ before, after }: Pick<ChangedAnswer, "before" | "after">): number {
  return (after ?? before)?.segment_assignments ?? 0;
}

function chanceOf({ cell }: PlacedCell): number {
  return cell.certainty?.chance ?? 0;
}

function vouchersOf({ cell }: PlacedCell): number {
  return cell.segmentAssignments;
}

function placedAnswer(placed: PlacedCell): PlacedAnswer {
  return { ...placeOf(placed), ...answerOf(placed.cell) };
}

function placeOf({ countryCode, kind, segment }: Place): {
  country_code: string;
  segment_kind: Place["kind"];
  segment: string;
} {
  return { country_code: countryCode, segment_kind: kind, segment };
}

function toldOf(cell: Cell | undefined): ToldAnswer | null {
  return cell === undefined ? null : answerOf(cell);
}

function answerOf({ voucherAmount, assignments, segmentAssignments, certainty }: Cell): ToldAnswer {
  return {
    voucher_amount: voucherAmount,
    assignments,
    segment_assignments: segmentAssignments,
    ...certaintyTold(certainty),
  };
}

/** A certainty in JSON, for all outputs. */
export function certaintyTold(
  certainty: Certainty | undefined,
): Pick<ToldAnswer, "certainty" | "certainty_word"> {
  return { certainty: certainty?.chance ?? null, certainty_word: certainty?.word ?? null };
}
