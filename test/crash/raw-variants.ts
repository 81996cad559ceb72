import { putVouchers, voucher, type RawVoucher } from "../raw-vouchers.js";

/**
 * Two contents of the raw zone. For the same execution date they give other curated and rejected rows, other answers, and
 * answers for other countries.
 */
export type Variant = keyof typeof CONTENTS;

const CONTENTS = {
  one: { countries: ["Peru", "Perú", "Chile", "Kenya"], good: 240, rejected: 5, outOfScope: 3, shift: 0 },
  two: { countries: ["Peru", "Perú", "Chile", "India"], good: 300, rejected: 20, outOfScope: 9, shift: 1 },
};

/** The countries of all variants. */
export const COUNTRIES = [...new Set(Object.values(CONTENTS).flatMap(({ countries }) => countries))];

const AMOUNTS = ["1000", "2640", "4400"];
const ORDERS = ["2", "7", "20", "50"];
const DAY_MILLISECONDS = 86_400_000;

export function otherVariant(variant: Variant): Variant {
  return variant === "one" ? "two" : "one";
}

/** Puts a variant in the place of the other one. */
export function putVariant(rawZone: string, variant: Variant): Promise<void> {
  const { good, rejected, outOfScope } = CONTENTS[variant];
  return putVouchers(rawZone, [
    ...Array.from({ length: good }, (_, index) => goodVoucher(variant, index)),
    ...Array.from({ length: rejected }, (_, index) => voucher({ total_orders: `${index}.5` })),
    ...Array.from({ length: outOfScope }, () => voucher({ timestamp: "2021-01-01" })),
  ]);
}

function goodVoucher(variant: Variant, index: number): RawVoucher {
  const { countries, shift } = CONTENTS[variant];
  const lastOrder = Date.UTC(2020, 3, 30) - ((index * 13) % 200) * DAY_MILLISECONDS;
  const country = countries[index % countries.length] ?? null;
  const round = Math.floor(index / countries.length);
  return voucher({
    country_code: country,
    total_orders: ORDERS[round % ORDERS.length] ?? null,
    last_order_ts: new Date(lastOrder).toISOString(),
    // A square leaves the rest 1 more often than 0, so each variant has a most used amount of its own.
    voucher_amount: AMOUNTS[(round ** 2 + shift) % AMOUNTS.length] ?? null,
  });
}
