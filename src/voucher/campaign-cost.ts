import { fieldErrors } from "../base/field-errors.js";
import { compareCodePoints } from "../base/words.js";
import { customerOrFault, customerTexts, isFault } from "./customer-schema.js";
import type { Customer } from "./customer-segment.js";
import { CustomersCsv, type GivenLine } from "./customers-csv.js";
import { decide, type DecisionOptions } from "./decision.js";
import { FileLines } from "./file-lines.js";
import type { Answers } from "./published-answers.js";

/** The cost of vouchers. */
export interface Cost {
  /** How many customers get one. */
  readonly vouchers: number;
  /** The sum of their amounts, in whole currency units. */
  readonly total_amount: number;
}

/** The costs of the same customers by two sets of answers. */
export interface CostChange {
  /** Null if nothing was published before. */
  readonly before: Cost | null;
  readonly after: Cost;
}

export interface CountryCost extends CostChange {
  readonly country_code: string;
  readonly customers: number;
}

/** The costs of a file of customers by two sets of answers. */
export interface CampaignCost extends CostChange {
  /** How many lines describe a customer. */
  readonly customers: number;
  /** How many of these get another voucher, or one instead of none, or none any more. */
  readonly changed: number;
  /** How many lines do not describe a customer. */
  readonly faulty: number;
  /** Why the first of these does not: `line 3: total_orders is missing`; null if there is none. */
  readonly first_fault: string | null;
  /** First the country whose costs change most. */
  readonly countries: readonly CountryCost[];
}

/** Counts as it grows. */
interface Tally {
  customers: number;
  readonly before: { vouchers: number; total_amount: number };
  readonly after: { vouchers: number; total_amount: number };
}

/**
 * Prices a file of customers by two sets of answers, as the API prices a campaign.
 * @param bytes CSV with a header line, in UTF-8.
 * @param before undefined if nothing was published before.
 * @throws UnreadableFile if the file is of another kind, or if its header line lacks columns.
 */
export async function costOfCampaign(
  bytes: AsyncIterable<Buffer>,
  before: Answers | undefined,
  after: Answers,
  options: DecisionOptions,
): Promise<CampaignCost> {
  const all = newTally();
  const countries = new Map<string, Tally>();
  const faults = { count: 0, first: null as string | null };
  let changed = 0;
  const amountBy = (answers: Answers | undefined, customer: Customer) =>
    answers === undefined ? null : decide(answers, customer, options).voucherAmount;
  for await (const customers of new CustomersCsv(new FileLines(bytes, "utf-8"), undefined)) {
    for (const given of customers) {
      const customer = customerIn(given, options.asOf);
      if (typeof customer === "string") {
        faults.count += 1;
        faults.first ??= `line ${given.line.toString()}: ${customer}`;
        continue;
      }
      const amounts = { before: amountBy(before, customer), after: amountBy(after, customer) };
      if (amounts.before !== amounts.after) changed += 1;
      const { country_code: country } = customer;
      const ofCountry = countries.get(country) ?? newTally();
      countries.set(country, ofCountry);
      for (const tally of [all, ofCountry]) add(tally, amounts);
    }
  }
  const changeOf = (tally: Tally): CostChange => ({
    before: before === undefined ? null : tally.before,
    after: tally.after,
  });
  return {
    customers: all.customers,
    changed,
    faulty: faults.count,
    first_fault: faults.first,
    ...changeOf(all),
    countries: [...countries]
      .map(([country_code, tally]) => ({
        country_code,
        customers: tally.customers,
        ...changeOf(tally),
      }))
      .sort(
        (a, b) =>
          Math.abs(differenceOf(b)) - Math.abs(differenceOf(a)) ||
          compareCodePoints(a.country_code, b.country_code),
      ),
  };
}

/** By how much the costs grow. */
export function differenceOf({ before, after }: CostChange): number {
  return after.total_amount - (before?.total_amount ?? 0);
}

/** The customer of a line, or why it describes none. */
function customerIn({ customer: given, fault }: GivenLine, asOf: Date): Customer | string {
  if (fault !== undefined) return fault;
  const parsed = customerTexts.safeParse(given, { reportInput: true });
  const customer = parsed.success ? customerOrFault(parsed.data, asOf) : undefined;
  if (customer !== undefined && !isFault(customer)) return customer;
  const faults = customer === undefined ? fieldErrors(parsed.error?.issues ?? [], "") : [customer];
  return faults.map(({ field, message }) => `${field === "" ? "it" : field} ${message}`).join("; ");
}

function newTally(): Tally {
  return {
    customers: 0,
    before: { vouchers: 0, total_amount: 0 },
    after: { vouchers: 0, total_amount: 0 },
  };
}

function add(tally: Tally, amounts: Readonly<Record<"before" | "after", number | null>>): void {
  tally.customers += 1;
  for (const side of ["before", "after"] as const) {
    const amount = amounts[side];
    if (amount === null) continue;
    tally[side].vouchers += 1;
    tally[side].total_amount += amount;
  }
}
