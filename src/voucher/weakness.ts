import type { Cell } from "./published-answers.js";

/** An answer from fewer vouchers says little of the customers to come. */
export const FEW_VOUCHERS = 100;
/** Where the lead over the runner-up is below this share of the segment's vouchers, a few more of them could turn it. */
export const THIN_MARGIN_SHARE = 0.05;

/** Why an answer is weak: it rests on few vouchers, or its lead over the runner-up is thin. */
export const WEAKNESSES = ["few vouchers", "thin margin"] as const;
export type Weakness = (typeof WEAKNESSES)[number];

/** By how many vouchers an answer is ahead of its runner-up. */
export function marginOf({ assignments, runnerUp }: Cell): number {
  return assignments - (runnerUp?.assignments ?? 0);
}

/** The weaknesses of an answer; none where it is sure. */
export function weaknessesOf(cell: Cell): Weakness[] {
  const { segmentAssignments } = cell;
  return [
    ...(segmentAssignments < FEW_VOUCHERS ? (["few vouchers"] as const) : []),
    ...(marginOf(cell) < THIN_MARGIN_SHARE * segmentAssignments ? (["thin margin"] as const) : []),
  ];
}
