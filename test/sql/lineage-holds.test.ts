import path from "node:path";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { isRaw, isWritten } from "../../src/models/model.js";
import { traceColumns } from "../../src/run/column-lineage.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { run } from "../run/running.js";
import { makeWorkspace, PROJECT } from "../workspace.js";
import { version } from "./session.js";

const { models, plan } = await traceColumns(version, parseExecutionDate("2020-05-29"), "0.5");
/** Those that read nothing but tables that are written. */
const steps = plan.steps.filter(
  ({ model, rendered: { references } }) =>
    !isRaw(model) &&
    references.every((name) => version.models.some((one) => isWritten(one) && one.name === name)),
);

let connection: DuckDBConnection;

beforeAll(async () => {
  const { settings } = await makeWorkspace();
  const zones = { ...settings.zones, raw: path.join(PROJECT, "data/raw") };
  await run({ ...settings, zones, sqlDirectory: path.join(PROJECT, "sql") });
  connection = await (await DuckDBInstance.create(":memory:")).connect();
  for (const sql of ["CREATE SCHEMA curated", "CREATE SCHEMA provision", plan.functions.sql])
    await connection.run(sql);
  for (const { name, layer, table } of version.models.filter(isWritten))
    await connection.run(
      `CREATE TABLE ${name} AS FROM read_parquet('${settings.zones[layer]}/${table}/*/data.parquet', hive_partitioning = false)`,
    );
});

afterAll(() => {
  connection.closeSync();
});

/** A hash of the values of each column, whatever the order of the rows. */
async function valuesOf(select: string, columns: readonly string[]): Promise<Record<string, unknown>> {
  const hashes = columns.map((name) => `sum(hash("${name}")) AS "${name}"`).join(", ");
  const [row = {}] = (
    await connection.runAndReadAll(`SELECT ${hashes} FROM (${select})`)
  ).getRowObjectsJson();
  return row;
}

/** What a query gives when the values of one column of a table have moved to other rows. */
async function valuesWithMoved(
  select: string,
  columns: readonly string[],
  relation: string,
  column: string,
): Promise<Record<string, unknown>> {
  await connection.run("BEGIN");
  try {
    await connection.run(`CREATE OR REPLACE TABLE ${relation} AS
      SELECT * REPLACE (coalesce(lag("${column}", 7) OVER (), "${column}") AS "${column}") FROM ${relation}`);
    return await valuesOf(select, columns);
  } finally {
    await connection.run("ROLLBACK");
  }
}

describe("the lineage is complete", () => {
  it.each(steps.map((step) => [step.model.name, step] as const))(
    "%s has no other column that changes if values of one are moved",
    async (name, { model, rendered: { sql, references } }) => {
      const lineage = models.get(name);
      const columns = Object.keys(model.header.columns);
      const before = await valuesOf(sql, columns);
      for (const relation of references) {
        const read = version.models.find((one) => one.name === relation);
        for (const column of Object.keys(read?.header.columns ?? {})) {
          const isNamed = (sources: { relation: string; column: string }[] = []) =>
            sources.some((source) => source.relation === relation && source.column === column);
          const rows = lineage?.rows
            .list()
            .filter(({ derivations }) => derivations.some((one) => one !== "SORT"));
          if (isNamed(rows)) continue;
          const after = await valuesWithMoved(sql, columns, relation, column);
          const changed = columns.filter((one) => before[one] !== after[one]);
          const said = columns.filter((one) => isNamed(lineage?.columns.get(one)?.list()));
          expect(said).toEqual(expect.arrayContaining(changed));
        }
      }
    },
  );
});
