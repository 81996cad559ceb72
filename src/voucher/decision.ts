import { isCertainEnough, type MinCertainty } from "./certainty.js";
import { segmentOfCustomer, type Customer } from "./customer-segment.js";
import type { Answers, Cell, CountryAnswer } from "./published-answers.js";

/** What an amount rests on: the customer's segment, the whole country, or nothing. */
export const BASES = ["segment", "country", "none"] as const;
export type Basis = (typeof BASES)[number];

/** What to answer where the customer's segment cannot: nothing, or what the country uses most. */
export const FALLBACKS = ["none", "country"] as const;
export type Fallback = (typeof FALLBACKS)[number];

export interface DecisionOptions {
  /** The day that recency counts to. */
  readonly asOf: Date;
  readonly fallback: Fallback;
  /** A segment with fewer vouchers does not answer. */
  readonly minAssignments: number;
  /** A segment whose answer is less certain does not answer. */
  readonly minCertainty?: MinCertainty | undefined;
}

/** Why there is no amount: nothing is known of the country, or of its segment, or too little is. */
export const NONE_REASONS = [
  "unknown_country",
  "empty_segment",
  "too_few_vouchers",
  "too_uncertain",
] as const;
export type NoneReason = (typeof NONE_REASONS)[number];

/** Which voucher a customer shall get, and why. */
export interface Decision {
  /** In whole currency units; null if the basis is `none`. */
  readonly voucherAmount: number | null;
  readonly basis: Basis;
  readonly segment: string;
  /** What is known of the customer's country and segment, whether it is the basis or not. */
  readonly cell: Cell | undefined;
  /** What is known of the country, where it is the basis. */
  readonly country: CountryAnswer | undefined;
  /** Why there is no amount; undefined where there is one. */
  readonly noneBecause: NoneReason | undefined;
}

/** Chooses the voucher of a customer by the answers of one publication. */
export function decide(answers: Answers, customer: Customer, options: DecisionOptions): Decision {
  const segment = segmentOfCustomer(answers.segments, customer, options.asOf);
  const cell = answers.cell(customer.segment_name, customer.country_code, segment);
  const faultOfCell = faultOf(cell, options);
  if (cell !== undefined && faultOfCell === undefined) {
    const { voucherAmount } = cell;
    return { voucherAmount, basis: "segment", segment, cell, country: undefined, noneBecause: undefined };
  }
  const country = options.fallback === "country" ? answers.country(customer.country_code) : undefined;
  if (country !== undefined) {
    const { voucherAmount } = country;
    return { voucherAmount, basis: "country", segment, cell, country, noneBecause: undefined };
  }
  const noneBecause = answers.hasCountry(customer.country_code) ? faultOfCell : "unknown_country";
  return { voucherAmount: null, basis: "none", segment, cell, country, noneBecause };
}

/** Why a segment does not answer; undefined where it does. */
function faultOf(
  cell: Cell | undefined,
  { minAssignments, minCertainty }: DecisionOptions,
): NoneReason | undefined {
  if (cell === undefined) return "empty_segment";
  if (cell.segmentAssignments < minAssignments) return "too_few_vouchers";
  return minCertainty === undefined || isCertainEnough(cell.certainty, minCertainty)
    ? undefined
    : "too_uncertain";
}
