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
] as const satisfies readonly (keyof PricedLine)[];

/** The line that CSV of priced lines begins with. */
export const PRICED_CSV_HEADER = stringify([COLUMNS]);

/** Priced lines as CSV. The service writes it, and the page that prices a campaign. */
export function pricedCsv(lines: readonly PricedLine[]): string {
  const rows = lines.map((line) => COLUMNS.map((column) => line[column]));
  // A bare carriage return ends a line for some readers.
  return stringify(rows, { quoted_match: "\r" });
}
