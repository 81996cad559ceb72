import { stringify } from "csv-stringify/sync";
import type { PricedLine } from "./campaign-schema.js";

const COLUMNS = [
  "line",
  "customer_id",
  "country_code",
  "segment_name",
  "segment",
  "voucher_amount",
  "basis",
  "error",
  "certainty",
  "certainty_word",
  "none_because",
  "nearest_countries",
] as const satisfies readonly (keyof PricedLine)[];

/** The line that CSV of priced lines begins with. */
export const PRICED_CSV_HEADER = stringify([COLUMNS]);

/** Priced lines as CSV. The service writes it, and the page that prices a campaign. */
export function pricedCsv(lines: readonly PricedLine[]): string {
  const rows = lines.map((line) => COLUMNS.map((column) => textOf(line[column])));
  // A bare carriage return ends a line for some readers.
  return stringify(rows, { quoted_match: "\r" });
}

/** Names of countries stand in one field, as a person reads them. */
function textOf(value: PricedLine[keyof PricedLine]): string | number | null {
  return Array.isArray(value) ? value.join("; ") : value;
}
