import { describe, expect, it } from "@jest/globals";
import { sql } from "kysely";
import { openConsumptionForReading } from "../../src/consumption/open-consumption.js";
import { voucher } from "../raw-vouchers.js";
import { runOver } from "../run/running.js";

describe("a SQLite database for a reader", () => {
  it.each([
    "UPDATE voucher_frequent_most_used SET voucher_amount = 1",
    "DELETE FROM publications",
    "CREATE TABLE own (number int)",
  ])("refuses %s", async (statement) => {
    const { settings } = await runOver([voucher()]);
    const reader = await openConsumptionForReading(settings.consumptionUrl);
    if (reader === undefined) throw new Error("the database is not there");
    await expect(sql.raw(statement).execute(reader.db)).rejects.toThrow("readonly");
    await reader.close();
  });

  it("supports one transaction for reading", async () => {
    const { settings } = await runOver([voucher()]);
    const reader = await openConsumptionForReading(settings.consumptionUrl);
    if (reader === undefined) throw new Error("the database is not there");
    const read = reader.db
      .transaction()
      .execute((transaction) =>
        transaction.selectFrom("publications").select("execution_date").executeTakeFirst(),
      );
    expect(await read).toEqual({ execution_date: "2020-05-29T000000" });
    await reader.close();
  });
});
