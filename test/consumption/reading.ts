import Database from "libsql";
import type { Settings } from "../../src/settings.js";

/** Rows of the consumption database, read as any other program would. */
export function readTable(settings: Settings, sql: string): unknown[] {
  const database = new Database(settings.consumptionUrl.slice("sqlite:".length));
  try {
    return database.prepare(sql).all([]);
  } finally {
    database.close();
  }
}

/** Everything that readers of the consumption database can see, and the runs that made it. */
export function readConsumption(settings: Settings): Record<string, unknown[]> {
  const tables = [
    "publications",
    "voucher_amount_usage",
    "voucher_frequent_most_used",
    "voucher_recency_most_used",
  ];
  return Object.fromEntries(
    tables.map((table) => [table, readTable(settings, `SELECT * FROM ${table} ORDER BY 1, 2, 3, 4`)]),
  );
}
