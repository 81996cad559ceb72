import { setImmediate as turn } from "node:timers/promises";
import { fieldErrors, type FieldError } from "../../base/field-errors.js";
import { isObject } from "../../base/json.js";
import { certaintyTold } from "../../record/answers.js";
import type { CertaintyCounts } from "../../voucher/certainty.js";
import type { Customer } from "../../voucher/customer-segment.js";
import { type GivenLine, shown } from "../../voucher/customers-csv.js";
import { decide, type DecisionOptions } from "../../voucher/decision.js";
import { UnreadableFile } from "../../voucher/file-lines.js";
import type { Answers } from "../../voucher/published-answers.js";
import type { SegmentKind } from "../../voucher/segment-rules.js";
import { Problem } from "../http/problems.js";
import type { CustomerFile, PricedLine } from "./campaign-formats.js";
import type { PricedResult, PriceGroup, PriceSummary } from "./campaign-schema.js";
import { completeCustomer } from "./complete-customer.js";
import { UnknownCountries } from "./unknown-countries.js";

/** Few enough that other requests do not wait, even if every line is at fault. */
const LINES_PER_TURN = 256;
/** Enough to see what is wrong with a line, whatever was sent. */
const FAULTS_TOLD = 5;

/** How lines are answered. */
export interface Pricing {
  readonly answers: Answers;
  readonly options: DecisionOptions;
  /** It applies to lines that name none. */
  readonly segmentName: SegmentKind | undefined;
}

/** Some lines with their answers, and how they are written. */
export interface PricedPart {
  readonly lines: readonly PricedLine[];
  readonly text: string;
}

/** Prices a file, some lines at a time. */
export class FilePricing {
  readonly #file: CustomerFile;
  readonly #pricing: Pricing;
  readonly #unknown: UnknownCountries;
  readonly #totals: Totals;
  #lines = 0;
  #lastLine = 0;
  #unread: string | undefined;

  constructor(file: CustomerFile, pricing: Pricing) {
    this.#file = file;
    this.#pricing = pricing;
    this.#unknown = new UnknownCountries(pricing.answers);
    this.#totals = new Totals(pricing.answers);
  }

  /** How many lines are priced. */
  get lines(): number {
    return this.#lines;
  }

  get summary(): PriceSummary {
    const unread = this.#unread;
    return { ...this.#totals.summary, ...(unread === undefined ? {} : { unread }) };
  }

  /**
   * The text of the answer, part by part. Between two parts other requests have their turn.
   * @throws Problem if the file is of another kind, and faults of reading it.
   */
  async *parts(): AsyncGenerator<PricedPart> {
    let isOpen = false;
    const opening = () => (isOpen ? "" : this.#file.opening());
    for await (const many of readable(this.#file.lines())) {
      for (let start = 0; start < many.length; start += LINES_PER_TURN) {
        const lines = many.slice(start, start + LINES_PER_TURN).map((given) => this.#price(given));
        yield { lines, text: opening() + this.#file.text(lines) };
        isOpen = true;
        await turn();
      }
    }
    if (!isOpen) yield { lines: [], text: opening() };
  }

  /** The last line of an answer, if the rest of the file cannot be read. */
  endWith({ detail }: Problem): string {
    this.#unread = detail;
    const fault = `The lines after line ${this.#lastLine.toString()} are not priced. ${detail}`;
    const given = { line: this.#lastLine + 1, customer: undefined, values: [] };
    return this.#file.text([{ given, result: faulty(fault) }]);
  }

  #price(given: GivenLine): PricedLine {
    this.#lines += 1;
    this.#lastLine = given.line;
    const { customer, result } = this.#answer(given);
    this.#totals.add(result, customer);
    return { given, result };
  }

  #answer({ line, customer: fields, fault }: GivenLine): Answered {
    const { answers, options, segmentName } = this.#pricing;
    const failed = (errors: string) => ({
      customer: undefined,
      result: faulty(`line ${line.toString()}: ${errors}`),
    });
    if (fault !== undefined) return failed(fault);
    const value =
      segmentName === undefined || !isObject(fields) ? fields : { segment_name: segmentName, ...fields };
    const parsed = this.#file.schema.safeParse(value, { reportInput: true });
    if (!parsed.success) return failed(inWords(fieldErrors(parsed.error.issues, ""), value));
    const customer = customerOr(parsed.data, options.asOf);
    if (customer instanceof Problem) return failed(inWords(customer.errors, value));
    const { segment, voucherAmount, basis, cell, noneBecause } = decide(answers, customer, options);
    const nearest =
      noneBecause === "unknown_country" ? [...this.#unknown.nearest(customer.country_code)] : null;
    return {
      customer,
      result: {
        segment,
        voucher_amount: voucherAmount,
        // It is that of the segment's answer, and says nothing of one for the whole country.
        ...certaintyTold(basis === "segment" ? cell?.certainty : undefined),
        basis,
        none_because: noneBecause ?? null,
        nearest_countries: nearest,
        error: null,
      },
    };
  }
}

/** @throws Problem instead of an UnreadableFile. */
async function* readable<Part>(parts: AsyncIterable<Part>): AsyncGenerator<Part> {
  try {
    yield* parts;
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error;
    throw new Problem("invalid-request", error.message, error.errors, { cause: error });
  }
}

interface Answered {
  readonly result: PricedResult;
  /** Undefined if the line is at fault. */
  readonly customer: Customer | undefined;
}

function customerOr(given: Parameters<typeof completeCustomer>[0], asOf: Date): Customer | Problem {
  try {
    return completeCustomer(given, asOf);
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
}

function faulty(error: string): PricedResult {
  return {
    segment: null,
    voucher_amount: null,
    certainty: null,
    certainty_word: null,
    basis: null,
    none_because: null,
    nearest_countries: null,
    error,
  };
}

/** `total_orders "many" must be a whole number from 0 to 2147483647`. */
function inWords(errors: readonly FieldError[], given: unknown): string {
  const values = isObject(given) ? (given as Readonly<Record<string, unknown>>) : {};
  const told = errors.slice(0, FAULTS_TOLD).map(({ field, message }) => {
    const value = values[field];
    return value === undefined ? `${field} ${message}` : `${field} ${shown(value)} ${message}`;
  });
  return told.join("; ");
}

/** The totals of the lines. It has as many groups as the publication can have, however many countries are sent. */
class Totals {
  readonly #answers: Answers;
  readonly #groups = new Map<string, PriceGroup>();
  readonly #certainty = { sure: 0, likely: 0, "toss-up": 0 } satisfies CertaintyCounts;
  #faulty = 0;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  add({ segment, voucher_amount, certainty_word }: PricedResult, customer: Customer | undefined): void {
    if (customer === undefined || segment === null) {
      this.#faulty += 1;
      return;
    }
    const { country_code, segment_name } = customer;
    const group = this.#group(
      this.#answers.hasCountry(country_code) ? country_code : null,
      segment_name,
      segment,
    );
    group.customers += 1;
    if (voucher_amount === null) return;
    group.priced += 1;
    group.total_amount += voucher_amount;
    if (certainty_word !== null) this.#certainty[certainty_word] += 1;
  }

  /** The totals, with the groups in the order in which they were met. */
  get summary(): PriceSummary {
    const groups = [...this.#groups.values()];
    const sum = (field: "customers" | "priced" | "total_amount") =>
      groups.reduce((total, group) => total + group[field], 0);
    const [customers, priced] = [sum("customers"), sum("priced")];
    return {
      lines: customers + this.#faulty,
      priced,
      without_amount: customers - priced,
      faulty: this.#faulty,
      total_amount: sum("total_amount"),
      certainty: this.#answers.knowsCertainty ? { ...this.#certainty } : null,
      groups,
    };
  }

  #group(country_code: string | null, segment_name: SegmentKind, segment: string): PriceGroup {
    const key = `${segment_name} ${segment} ${country_code === null ? "" : `of ${country_code}`}`;
    const found = this.#groups.get(key);
    if (found !== undefined) return found;
    const group = { country_code, segment_name, segment, customers: 0, priced: 0, total_amount: 0 };
    this.#groups.set(key, group);
    return group;
  }
}
