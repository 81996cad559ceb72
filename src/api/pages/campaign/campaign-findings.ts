import { isObject } from "../../../base/json.js";
import type { NoneReason } from "../../../voucher/decision.js";
import type { ExecutionDate } from "../../../voucher/execution-date.js";
import type { Answers } from "../../../voucher/published-answers.js";
import { SEGMENT_KINDS, type SegmentKind } from "../../../voucher/segment-rules.js";
import type { PricedLine } from "../../v1/campaign-formats.js";
import type { PriceGroup, PriceSummary } from "../../v1/campaign-schema.js";

const FIRST_SHOWN = 10;
const FAULTY_SHOWN = 100;
const COUNTRIES_SHOWN = 20;
const CELL_LENGTH = 60;

/** A line as the page shows it: short, whatever was sent. */
export interface ShownLine {
  readonly line: number;
  /** The value of the first column of the file. */
  readonly first: string;
  readonly country: string;
  readonly segment: string | null;
  readonly amount: number | null;
  readonly certainty: string | null;
  /** Why there is no amount; null if there is one. */
  readonly reason: string | null;
}

/** Customers that something is the same of. */
export interface Sum {
  readonly customers: number;
  readonly amount: number;
}

/** The page of a priced campaign shows this, and no more of the file is held in memory. */
export interface Findings {
  readonly executionDate: ExecutionDate;
  readonly seconds: number;
  readonly totals: Omit<PriceSummary, "groups">;
  /** Whether all amounts are in one currency. */
  readonly hasOneCurrency: boolean;
  /** Those with the highest amounts. A country without a name is not known. */
  readonly countries: readonly (Sum & { readonly name: string | null })[];
  readonly others: (Sum & { readonly countries: number }) | undefined;
  readonly segments: readonly {
    readonly kind: SegmentKind;
    readonly sums: readonly (Sum & { readonly name: string })[];
  }[];
  readonly first: readonly ShownLine[];
  readonly faulty: readonly ShownLine[];
}

/** Collects what the page shows while a campaign is priced. */
export class CampaignFindings {
  readonly #first: ShownLine[] = [];
  readonly #faulty: ShownLine[] = [];

  add(lines: readonly PricedLine[]): void {
    const missing = FIRST_SHOWN - this.#first.length;
    if (missing > 0) this.#first.push(...lines.slice(0, missing).map(shownLine));
    if (this.#faulty.length >= FAULTY_SHOWN) return;
    const faulty = lines.filter(({ result }) => result.error !== null);
    this.#faulty.push(...faulty.slice(0, FAULTY_SHOWN - this.#faulty.length).map(shownLine));
  }

  of(
    { groups = [], ...totals }: PriceSummary,
    { publication, segments }: Answers,
    seconds: number,
  ): Findings {
    const countries = summed(groups, ({ country_code }) => country_code).sort((a, b) => b.amount - a.amount);
    const others = countries.slice(COUNTRIES_SHOWN);
    const namesOfOthers = new Set(others.map(({ name }) => name));
    const [allOthers] = summed(
      groups.filter(({ country_code }) => namesOfOthers.has(country_code)),
      () => null,
    );
    return {
      executionDate: publication.executionDate,
      seconds,
      totals,
      hasOneCurrency: countries.filter(({ name }) => name !== null).length <= 1,
      countries: countries.slice(0, COUNTRIES_SHOWN),
      others: allOthers && { ...allOthers, countries: others.length },
      segments: SEGMENT_KINDS.flatMap((kind) => {
        const names = segments[kind].segments.map(({ name }) => name);
        const sums = summed(
          groups.filter(({ segment_name }) => segment_name === kind),
          ({ segment }) => segment,
        );
        sums.sort((a, b) => names.indexOf(a.name) - names.indexOf(b.name));
        return sums.length === 0 ? [] : [{ kind, sums }];
      }),
      first: this.#first,
      faulty: this.#faulty,
    };
  }
}

function shownLine({ given: { line, values, customer }, result }: PricedLine): ShownLine {
  const { country_code } = isObject(customer) ? customer : {};
  const { none_because: none, nearest_countries: nearest } = result;
  const error = result.error?.replace(/^line \d+: /, "") ?? null;
  return {
    line,
    first: (values[0] ?? "").slice(0, CELL_LENGTH),
    country: typeof country_code === "string" ? country_code.slice(0, CELL_LENGTH) : "",
    segment: result.segment,
    amount: result.voucher_amount,
    certainty: result.certainty_word,
    reason: error ?? (none && reasonInWords(none, nearest ?? [])),
  };
}

const REASONS: Readonly<Record<NoneReason, string>> = {
  unknown_country: "there is no answer for this country",
  empty_segment: "no voucher of this segment is known",
  too_few_vouchers: "the segment has too few vouchers",
  too_uncertain: "the answer is not certain enough",
};

function reasonInWords(reason: NoneReason, nearest: readonly string[]): string {
  return nearest.length === 0 ? REASONS[reason] : `${REASONS[reason]}; similar names: ${nearest.join(", ")}`;
}

/** Sums up what has the same name, in the order in which the names are met. */
function summed<Name>(
  groups: readonly PriceGroup[],
  nameOf: (group: PriceGroup) => Name,
): (Sum & { name: Name })[] {
  const sums = new Map<Name, Sum & { name: Name }>();
  for (const group of groups) {
    const name = nameOf(group);
    const { customers, amount } = sums.get(name) ?? { customers: 0, amount: 0 };
    sums.set(name, { name, customers: customers + group.customers, amount: amount + group.total_amount });
  }
  return [...sums.values()];
}
