import { isCertainEnough, type MinCertainty } from "./certainty.js";
import { segmentOfCustomer, type Customer } from "./customer-segment.js";
import type { Answers, Cell, CountryAnswer } from "./published-answers.js";

/** The basis of an amount: the customer's segment, the whole country, or nothing. */
export const BASES = ["segment", "country", "none"] as const;
export type Basis = (typeof BASES)[number];

/** The fallback if the customer's segment has no answer: nothing, or the amount that the country uses most. */
export const FALLBACKS = ["none", "country"] as const;
export type Fallback = (typeof FALLBACKS)[number];

export interface DecisionOptions {
  /** The day that recency counts to. */
  readonly asOf: Date;
  readonly fallback: Fallback;
  /** A segment with fewer vouchers has no answer. */
  readonly minAssignments: number;
  /** A segment whose answer is less certain has no answer. */
  readonly minCertainty?: MinCertainty | undefined;
}

/** The reasons for no amount: the country or the segment is unknown, or there is too little data. */
export const NONE_REASONS = [
  "unknown_country",
  "empty_segment",
  "too_few_vouchers",
  "too_uncertain",
] as const;
export type NoneReason = (typeof NONE_REASONS)[number];

/** The voucher for a customer, with the reason. */
export interface Decision {
  /** In whole currency units; null if the basis is `none`. */
  readonly voucherAmount: number | null;
  readonly basis: Basis;
  readonly segment: string;
  /** The data of the customer's country and segment, even if it is not the basis. */
  readonly cell: Cell | undefined;
  /** The data of the country, if it is the basis. */
  readonly country: CountryAnswer | undefined;
  /** The reason for no amount; undefined if there is an amount. */
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

/** The reason why a segment has no answer; undefined if it has one. */
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
