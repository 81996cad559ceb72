import { compareCodePoints } from "../base/words.js";
import type { Answers, Cell, PlacedCell } from "./published-answers.js";
import { SEGMENT_KINDS, type SegmentKind } from "./segment-rules.js";

/** An answer that differs between two publications. One side is undefined if the answer is new or gone. */
export interface Change {
  readonly kind: SegmentKind;
  readonly countryCode: string;
  readonly segment: string;
  readonly before: Cell | undefined;
  readonly after: Cell | undefined;
}

/** The answers with different amounts, by kind, country (code points) and the segments' order. */
export function changesBetween(before: Answers, after: Answers): Change[] {
  const changes: Change[] = [];
  for (const { kind, countryCode, segment, cell } of after.cells()) {
    const earlier = before.cell(kind, countryCode, segment);
    if (earlier?.voucherAmount !== cell.voucherAmount)
      changes.push({ kind, countryCode, segment, before: earlier, after: cell });
  }
  for (const { kind, countryCode, segment, cell } of before.cells()) {
    if (after.cell(kind, countryCode, segment) === undefined)
      changes.push({ kind, countryCode, segment, before: cell, after: undefined });
  }
  return inOrder(changes, after);
}

/** Sorts cells, or their changes, by kind, country and segment, in the order of the publication's tables. */
export function inOrder<Placed extends Omit<PlacedCell, "cell">>(
  places: readonly Placed[],
  { segments }: Answers,
): Placed[] {
  const positions = new Map(
    SEGMENT_KINDS.map((kind) => [
      kind,
      new Map(segments[kind].segments.map(({ name }, index) => [name, index])),
    ]),
  );
  const position = ({ kind, segment }: Placed) => positions.get(kind)?.get(segment) ?? Infinity;
  return [...places].sort(
    (a, b) =>
      SEGMENT_KINDS.indexOf(a.kind) - SEGMENT_KINDS.indexOf(b.kind) ||
      compareCodePoints(a.countryCode, b.countryCode) ||
      position(a) - position(b) ||
      compareCodePoints(a.segment, b.segment),
  );
}
