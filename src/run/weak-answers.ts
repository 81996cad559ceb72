import type { Answers, PlacedCell } from "../voucher/answers.js";
import { inOrder } from "../voucher/changes.js";
import type { SegmentKind } from "../voucher/segments.js";
import { marginOf, weaknessesOf, type Weakness } from "../voucher/weakness.js";

const WEAKEST_TOLD = 20;

/** Which answers should not be relied on. */
export interface WeakAnswers {
  /** How many are weak. */
  readonly count: number;
  /** The weakest of them: first those that the fewest vouchers would turn. */
  readonly weakest: readonly WeakAnswer[];
}

export interface WeakAnswer {
  readonly country_code: string;
  readonly segment_kind: SegmentKind;
  readonly segment: string;
  readonly voucher_amount: number;
  readonly segment_assignments: number;
  /** By how many vouchers it is ahead of the runner-up. */
  readonly margin: number;
  readonly weaknesses: readonly Weakness[];
}

/** The answers that rest on few vouchers, or whose lead is thin. */
export function weakAnswersOf(answers: Answers): WeakAnswers {
  const weak = inOrder([...answers.cells()], answers)
    .map(weakAnswer)
    .filter(({ weaknesses }) => weaknesses.length > 0)
    .sort((a, b) => a.margin - b.margin || a.segment_assignments - b.segment_assignments);
  return { count: weak.length, weakest: weak.slice(0, WEAKEST_TOLD) };
}

function weakAnswer({ countryCode, kind, segment, cell }: PlacedCell): WeakAnswer {
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
