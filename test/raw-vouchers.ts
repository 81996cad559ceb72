import { putParquet } from "./duckdb.js";

/** A raw voucher as it comes from the feed: everything can be a text, or missing. */
export interface RawVoucher {
  timestamp: string | null;
  country_code: string | null;
  last_order_ts: string | null;
  first_order_ts: string | null;
  total_orders: string | null;
  voucher_amount: string | null;
}

/** A good voucher of Peru, known at 2020-05-29, with what the test cares about changed. */
export function voucher(changes: Partial<RawVoucher> = {}): RawVoucher {
  return {
    timestamp: "2020-05-01 10:00:00+00:00",
    country_code: "Peru",
    last_order_ts: "2020-04-20 00:00:00+00:00",
    first_order_ts: "2019-01-01 00:00:00+00:00",
    total_orders: "7",
    voucher_amount: "2640",
    ...changes,
  };
}

const COLUMNS = Object.keys(voucher()) as (keyof RawVoucher)[];

/** Puts vouchers into one Parquet file of a raw zone, every column as text. */
export async function putVouchers(
  rawZone: string,
  vouchers: readonly RawVoucher[],
  name = "vouchers/part.parquet",
): Promise<void> {
  const rows = vouchers.map((row) => `(${COLUMNS.map((column) => literal(row[column])).join(", ")})`);
  const columns = COLUMNS.map((column) => `CAST("${column}" AS VARCHAR) AS "${column}"`).join(", ");
  const names = COLUMNS.map((column) => `"${column}"`).join(", ");
  await putParquet(rawZone, name, `SELECT ${columns} FROM (VALUES ${rows.join(", ")}) AS rows(${names})`);
}

/** Puts good vouchers into one Parquet file that is larger than what a run types in memory, by a column that nobody reads. */
export async function putLargeFile(rawZone: string, count: number): Promise<void> {
  const columns = Object.entries(voucher()).map(([name, value]) => `'${String(value)}' AS "${name}"`);
  const note = `array_to_string([md5((i * 100 + j)::VARCHAR) for j in range(${Math.ceil(2_400_000 / count).toString()})], '')`;
  await putParquet(
    rawZone,
    "vouchers/large.parquet",
    `SELECT ${columns.join(", ")}, ${note} AS note FROM range(${count.toString()}) numbers(i)`,
  );
}

/** Several rows that are the same. */
export function times<Row>(count: number, row: Row): Row[] {
  return Array.from({ length: count }, () => row);
}

function literal(value: string | null): string {
  if (value === null) return "NULL";
  // No statement can hold a NUL.
  return `'${value.replaceAll("'", "''").replaceAll("\0", "' || chr(0) || '")}'`;
}
