import { SqliteConnection } from "../../src/base/sqlite-driver.js";
import type { Settings } from "../../src/settings/settings.js";
import { askMysql } from "./servers.js";

/** Says one statement to the consumption database as any other program would, and gives the rows that come back. */
export async function readTable(
  { consumptionUrl }: Pick<Settings, "consumptionUrl">,
  sql: string,
): Promise<unknown[]> {
  if (consumptionUrl.startsWith("mysql:")) return askMysql(consumptionUrl, sql);
  const database = new SqliteConnection(consumptionUrl.slice("sqlite:".length), "create");
  try {
    return database.rows(sql);
  } finally {
    database.close();
  }
}

/** Everything that readers of the consumption database can see, and the runs that made it. */
export async function readConsumption(settings: Settings): Promise<Record<string, unknown[]>> {
  const tables = [
    "publications",
    "voucher_amount_usage",
    "voucher_answers",
    "voucher_country_most_used",
    "voucher_frequent_most_used",
    "voucher_recency_most_used",
  ];
  const contents: Record<string, unknown[]> = {};
  for (const table of tables)
    contents[table] = await readTable(settings, `SELECT * FROM ${table} ORDER BY 1, 2, 3, 4`);
  return contents;
}
