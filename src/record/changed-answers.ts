import { counting, printable } from "../base/words.js";
import { changesBetween } from "../voucher/changes.js";
import type { Answers, Cell } from "../voucher/published-answers.js";
import type { AnswersDiff, ChangedAnswer } from "./run-record.js";

/** A record is one value of a database, and is read with others: it does not grow with the number of countries. */
const CHANGES_IN_RECORD = 1_000;

type Answer = NonNullable<ChangedAnswer["after"]>;

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
export function changeInWords({ country_code, segment_kind, segment, before, after }: ChangedAnswer): string {
  const kind = segment_kind.replace("_segment", "");
  const vouchers = (after ?? before)?.segment_assignments ?? 0;
  const amounts = `${amountOf(before)} → ${amountOf(after)}`;
  return `${printable(country_code)} · ${kind} ${segment}: ${amounts}, on ${counting(vouchers, "voucher")}`;
}

function amountOf(answer: Answer | null): string {
  return answer?.voucher_amount.toString() ?? "no answer";
}

function answerInDiff(cell: Cell | undefined): Answer | null {
  if (cell === undefined) return null;
  const { voucherAmount, assignments, segmentAssignments } = cell;
  return { voucher_amount: voucherAmount, assignments, segment_assignments: segmentAssignments };
}
