import { inOrder } from "../voucher/changes.js";
import type { Answers, PlacedCell } from "../voucher/published-answers.js";
import { marginOf, weaknessesOf } from "../voucher/weakness.js";
import type { WeakAnswers } from "./run-record.js";

const WEAKEST_TOLD = 20;

/** The answers that rest on few vouchers, or whose lead is thin. */
export function weakAnswersOf(answers: Answers): WeakAnswers {
  const weak = inOrder([...answers.cells()], answers)
    .map(weakAnswer)
    .filter(({ weaknesses }) => weaknesses.length > 0)
    .sort((a, b) => a.margin - b.margin || a.segment_assignments - b.segment_assignments);
  return { count: weak.length, weakest: weak.slice(0, WEAKEST_TOLD) };
}

function weakAnswer({ countryCode, kind, segment, cell }: PlacedCell): WeakAnswers["weakest"][number] {
  return {
    country_code: countryCode,
    segment_kind: kind,
    segment,
    voucher_amount: cell.voucherAmount,
    segment_assignments: cell.segmentAssignments,
    margin: marginOf(cell),
    weaknesses: weaknessesOf(cell),
  };
}
