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
}

/** Which voucher a customer shall get, and why. */
export interface Decision {
  /** In whole currency units; null where the basis is `none`. */
  readonly voucherAmount: number | null;
  readonly basis: Basis;
  readonly segment: string;
  /** What is known of the customer's country and segment, whether it is the basis or not. */
  readonly cell: Cell | undefined;
  /** What is known of the country, where it is the basis. */
  readonly country: CountryAnswer | undefined;
}

/** Chooses the voucher of a customer by the answers of one publication. */
export function decide(answers: Answers, customer: Customer, options: DecisionOptions): Decision {
  const segment = segmentOfCustomer(answers.segments, customer, options.asOf);
  const cell = answers.cell(customer.segment_name, customer.country_code, segment);
  if (cell !== undefined && cell.segmentAssignments >= options.minAssignments) {
    return { voucherAmount: cell.voucherAmount, basis: "segment", segment, cell, country: undefined };
  }
  const country = options.fallback === "country" ? answers.country(customer.country_code) : undefined;
  if (country === undefined) return { voucherAmount: null, basis: "none", segment, cell, country };
  return { voucherAmount: country.voucherAmount, basis: "country", segment, cell, country };
}
