import path from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll } from "@jest/globals";
import type { Row, RowValue } from "../../src/engine/builder.js";
import { loadSqlVersion } from "../../src/models/load.js";
import { planRun, renderInspection, type Plan, type PlanInput } from "../../src/run/plan.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { PROJECT } from "../workspace.js";

export const version = await loadSqlVersion(path.join(PROJECT, "sql"), "v1");

/** What the plan is made of. */
export const input: PlanInput = {
  executionDate: parseExecutionDate("2020-05-29"),
  maxRejectedShare: "0.5",
  rawRoot: "data/raw",
  rawParts: new Map([
    [
      "raw.vouchers",
      [
        {
          format: "parquet",
          root: "data/raw",
          files: ["data/raw/vouchers/it's 1.parquet", "data/raw/vouchers/2.parquet"],
          columns: {
            timestamp: { name: "timestamp", type: "VARCHAR" },
            country_code: { name: "country_code", type: "VARCHAR" },
            last_order_ts: { name: "last_order_ts", type: "TIMESTAMP" },
            first_order_ts: { name: "first_order_ts", type: "TIME", castTo: "VARCHAR" },
            total_orders: { name: "total_orders", type: "BIGINT" },
            voucher_amount: { name: "voucher_amount", type: "FLOAT", castTo: "DOUBLE" },
          },
          compression: "none",
          header: [],
          bytes: 0,
          fileColumn: "source_file",
        },
        {
          format: "csv",
          root: "data/raw",
          files: ["data/raw/vouchers/3.csv"],
          columns: Object.fromEntries(
            [
              "timestamp",
              "country_code",
              "last_order_ts",
              "first_order_ts",
              "total_orders",
              "voucher_amount",
            ].map((name) => [name, { name, type: "VARCHAR" }]),
          ),
          compression: "none",
          header: [
            "voucher_amount",
            "column_2",
            "timestamp",
            "country_code",
            "last_order_ts",
            "first_order_ts",
            "total_orders",
          ],
          bytes: 0,
          fileColumn: "source_file",
          rowCount: 17,
        },
      ],
    ],
  ]),
};

/** The plan of a run over one Parquet file and one CSV file. */
export const plan: Plan = planRun(version, input);

/** What `pipeline inspect` asks of each file, by the name of the raw model. */
export const inspections = [...version.inspections].map(([name, inspection]) => ({
  name,
  sql: renderInspection(version, inspection, input),
}));

const instance = await DuckDBInstance.create(":memory:");
const connection = await instance.connect();
await connection.run("SET GLOBAL TimeZone = 'UTC'");
await connection.run(plan.functions.sql);

afterAll(() => {
  connection.closeSync();
  instance.closeSync();
});

/** Rows of a query that can use the functions of the models. */
export async function rowsOf(sql: string): Promise<Row[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}

/** The value of one expression that can use the functions of the models. */
export async function valueOf(expression: string): Promise<RowValue | undefined> {
  const [row] = await rowsOf(`SELECT ${expression} AS value`);
  return row?.["value"];
}
