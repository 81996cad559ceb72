import { voucher, type RawVoucher } from "../raw-vouchers.js";

/** What the api is asked for: a country and a segment of a kind. */
export interface Cell {
  readonly index: number;
  readonly country: string;
  readonly kind: "frequent_segment" | "recency_segment";
  readonly segment: string;
  /** The query of a customer of that segment, today. */
  readonly query: string;
}

const COUNTRIES = ["Peru", "Perú", "Chile", "中国"];
const FREQUENT = [
  { segment: "0-4", orders: 2 },
  { segment: "5-13", orders: 7 },
  { segment: "13-37", orders: 20 },
  { segment: "37+", orders: 50 },
];
const RECENCY = [
  { segment: "0-30", days: 10 },
  { segment: "30-60", days: 45 },
  { segment: "60-90", days: 75 },
  { segment: "180+", days: 300 },
];
const DAY_MILLISECONDS = 86_400_000;
/** More than there are pairs of a country and a segment: the amounts of a publication are above those of the one before. */
const STRIDE = 1_000;

const PAIRS = COUNTRIES.flatMap((country) => FREQUENT.map((_, segment) => ({ country, segment })));

/** Every cell that every publication has. */
export const CELLS: readonly Cell[] = PAIRS.flatMap(({ country, segment }, index) => {
  const { segment: frequent = "", orders = 0 } = FREQUENT[segment] ?? {};
  const { segment: recency = "", days = 0 } = RECENCY[segment] ?? {};
  const cell = (kind: Cell["kind"], name: string): Cell => {
    const customer = {
      customer_id: 1,
      country_code: country,
      last_order_ts: daysBefore(new Date(), days),
      first_order_ts: "2017-05-03 00:00:00",
      total_orders: orders,
      segment_name: kind,
    };
    const query = new URLSearchParams({ customer: JSON.stringify(customer) }).toString();
    return { index, country, kind, segment: name, query };
  };
  return [cell("frequent_segment", frequent), cell("recency_segment", recency)];
});

/** The amount that a publication gives for a cell: no two publications have one in common. */
export function amountOf(publication: number, { index }: Pick<Cell, "index">): number {
  return publication * STRIDE + index;
}

/** The publication that an amount is of. */
export function publicationOf(amount: number): number {
  return Math.floor(amount / STRIDE);
}

/** Raw vouchers from which a run of an execution date makes a publication. */
export function vouchersOf(publication: number, executionDate: string): RawVoucher[] {
  return PAIRS.map(({ country, segment }, index) => {
    const last = daysBefore(new Date(`${executionDate}T00:00:00Z`), RECENCY[segment]?.days ?? 0);
    return voucher({
      timestamp: last,
      country_code: country,
      last_order_ts: last,
      total_orders: String(FREQUENT[segment]?.orders),
      voucher_amount: String(amountOf(publication, { index })),
    });
  });
}

function daysBefore(moment: Date, days: number): string {
  return new Date(moment.getTime() - days * DAY_MILLISECONDS).toISOString().slice(0, 19);
}
