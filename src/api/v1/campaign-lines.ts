import { fieldErrors, type FieldError } from "../../base/field-errors.js";
import { isObject } from "../../base/json.js";
import { certaintyTold } from "../../record/answers.js";
import { customerOrFault, isFault } from "../../voucher/customer-schema.js";
import { decide, type DecisionOptions } from "../../voucher/decision.js";
import type { Answers } from "../../voucher/published-answers.js";
import type { SegmentKind } from "../../voucher/segment-rules.js";
import type { Format } from "./campaign-formats.js";
import type { PricedLine, PriceGroup, PriceSummary } from "./campaign-schema.js";
import type { UnknownCountries } from "./unknown-countries.js";

/** Enough to see what is wrong with a line, whatever was sent. */
const FAULTS_TOLD = 5;

/** What lines are answered by. */
interface Pricing {
  readonly schema: Format["schema"];
  readonly answers: Answers;
  readonly options: DecisionOptions;
  /** Of the lines that name none. */
  readonly segmentName: SegmentKind | undefined;
  readonly unknown: UnknownCountries;
}

/**
 * Answers one line, or says what is wrong with it.
 * @param line its number.
 */
export function priced(
  line: number,
  given: unknown,
  { answers, options, unknown, ...rest }: Pricing,
): PricedLine {
  const value = completed(given, rest.segmentName);
  if (value === undefined) return faulty(line, value, faultsOfNothing(rest.schema));
  const parsed = rest.schema.safeParse(value, { reportInput: true });
  if (!parsed.success) return faulty(line, value, fieldErrors(parsed.error.issues, ""));
  const customer = customerOrFault(parsed.data, options.asOf);
  if (isFault(customer)) return faulty(line, value, [customer]);
  const { segment, voucherAmount, basis, cell, noneBecause } = decide(answers, customer, options);
  return {
    line,
    customer_id: parsed.data.customer_id ?? null,
    country_code: customer.country_code,
    segment_name: customer.segment_name,
    segment,
    voucher_amount: voucherAmount,
    basis,
    error: null,
    // It is that of the segment's answer, and says nothing of one for the whole country.
    ...certaintyTold(basis === "segment" ? cell?.certainty : undefined),
    none_because: noneBecause ?? null,
    nearest_countries: noneBecause === "unknown_country" ? [...unknown.nearest(customer.country_code)] : null,
  };
}

/** What a schema says of a line that is no customer at all. A hostile file has millions of these. */
const nothing = new WeakMap<Pricing["schema"], readonly FieldError[]>();

function faultsOfNothing(schema: Pricing["schema"]): readonly FieldError[] {
  const known = nothing.get(schema);
  if (known !== undefined) return known;
  const parsed = schema.safeParse(undefined);
  const faults = parsed.success ? [] : fieldErrors(parsed.error.issues, "");
  nothing.set(schema, faults);
  return faults;
}

function completed(given: unknown, segmentName: SegmentKind | undefined): unknown {
  return segmentName === undefined || !isObject(given) ? given : { segment_name: segmentName, ...given };
}

function faulty(line: number, value: unknown, errors: readonly FieldError[]): PricedLine {
  const { customer_id, country_code, segment_name } = isObject(value) ? value : {};
  const told = errors.slice(0, FAULTS_TOLD);
  return {
    line,
    customer_id: typeof customer_id === "number" ? customer_id : textOrNull(customer_id),
    country_code: textOrNull(country_code),
    segment_name: textOrNull(segment_name),
    segment: null,
    voucher_amount: null,
    basis: null,
    error: told.map(({ field, message }) => `${field === "" ? "line" : field} ${message}`).join("; "),
    certainty: null,
    certainty_word: null,
    none_because: null,
    nearest_countries: null,
  };
}

function textOrNull(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

/** What the lines come to. It has as many groups as the publication can have, however many countries are sent. */
export class Totals {
  readonly #answers: Answers;
  readonly #groups = new Map<string, PriceGroup>();
  #faulty = 0;

  constructor(answers: Answers) {
    this.#answers = answers;
  }

  add({ country_code, segment_name, segment, voucher_amount, error }: PricedLine): void {
    if (error !== null || segment === null) {
      this.#faulty += 1;
      return;
    }
    const country = country_code !== null && this.#answers.hasCountry(country_code) ? country_code : null;
    // A line that is answered has one of the kinds.
    const group = this.#group(country, segment_name as SegmentKind, segment);
    group.customers += 1;
    if (voucher_amount === null) return;
    group.priced += 1;
    group.total_amount += voucher_amount;
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
