import type { Answers } from "../../voucher/answers.js";
import type { SegmentKind } from "../../voucher/segments.js";
import type { PricedLine, PriceGroup, PriceSummary } from "../schemas/price.js";

/** What the lines come to. It has as many groups as the publication can have, however many countries are sent. */
export class Totals {
  readonly #known: ReadonlySet<string>;
  readonly #groups = new Map<string, PriceGroup>();
  #faulty = 0;

  constructor(answers: Answers) {
    this.#known = new Set(Array.from(answers.cells(), ({ countryCode }) => countryCode));
  }

  add({ country_code, segment_name, segment, voucher_amount, error }: PricedLine): void {
    if (error !== null || segment === null) {
      this.#faulty += 1;
      return;
    }
    const country = country_code !== null && this.#known.has(country_code) ? country_code : null;
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
