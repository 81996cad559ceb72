import type { PriceGroup, PriceSummary } from "../../../v1/campaign-schema.js";

/** What the pieces of a file come to together. */
export class SummedUp {
  readonly #groups = new Map<string, PriceGroup>();
  #lines = 0;
  #faulty = 0;

  add({ lines, faulty, groups = [] }: PriceSummary): void {
    this.#lines += lines;
    this.#faulty += faulty;
    for (const group of groups) this.#addGroup(group);
  }

  get lines(): number {
    return this.#lines;
  }

  /** The totals, with the groups in the order in which they were met. */
  get summary(): PriceSummary {
    const groups = [...this.#groups.values()];
    const customers = this.#lines - this.#faulty;
    const priced = groups.reduce((sum, group) => sum + group.priced, 0);
    return {
      lines: this.#lines,
      priced,
      without_amount: customers - priced,
      faulty: this.#faulty,
      total_amount: groups.reduce((sum, group) => sum + group.total_amount, 0),
      groups,
    };
  }

  #addGroup(group: PriceGroup): void {
    const key = JSON.stringify([group.country_code, group.segment_name, group.segment]);
    const known = this.#groups.get(key);
    if (known === undefined) {
      this.#groups.set(key, { ...group });
      return;
    }
    known.customers += group.customers;
    known.priced += group.priced;
    known.total_amount += group.total_amount;
  }
}
