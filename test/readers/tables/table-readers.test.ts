import { spawnSync } from "node:child_process";
import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { textOf } from "../../../src/engine/builder.js";
import { loadSqlVersion } from "../../../src/models/load.js";
import { isWritten, type WrittenModel } from "../../../src/models/model.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { query } from "../../duckdb.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { run } from "../../run/running.js";
import { makeWorkspace, PROJECT, SHIPPED_SQL } from "../../workspace.js";

/** A table with a column of every type that a header can declare. */
const EVERY_TYPE = `/*
description: A row with a value of every type.
key: [country_code]
columns:
  country_code:   { type: VARCHAR, description: Text }
  whole:          { type: INTEGER, description: A whole number }
  large:          { type: BIGINT, description: A large whole number }
  fraction:       { type: DOUBLE, description: A number }
  truth:          { type: BOOLEAN, description: Whether it is so }
  day:            { type: DATE, description: A day }
  moment:         { type: TIMESTAMP, description: A moment }
  texts:          { type: "VARCHAR[]", description: Several texts }
  execution_date: { type: VARCHAR, description: The partition }
*/
SELECT country_code, 1 AS whole, count(*) AS large, CAST(1.5 AS DOUBLE) AS fraction, true AS truth, DATE '2020-02-29' AS day,
  max("timestamp") AS moment, ['é', NULL] AS texts, {{ partition_key }} AS execution_date
FROM {{ "curated.vouchers" | ref }}
GROUP BY ALL
ORDER BY ALL
`;

/** What pyarrow makes of DuckDB's types. */
const ARROW_TYPES: Readonly<Record<string, string>> = {
  VARCHAR: "string",
  INTEGER: "int32",
  BIGINT: "int64",
  DOUBLE: "double",
  BOOLEAN: "bool",
  DATE: "date32[day]",
  TIMESTAMP: "timestamp[us]",
  "VARCHAR[]": "list<element: string>",
};

/** What a line of docs/operating.md reads from the folder of a table. */
interface Seen {
  readonly types: Readonly<Record<string, string>>;
  readonly dates: Readonly<Record<string, number>>;
}

const DATES = ["2020-05-29", "2020-05-30", "2020-06-01T06:00:00"];
/** A Spark starts in ten seconds on a quiet machine. */
const TIMEOUT = 300_000;

/** The lines of Python that the documentation names first, each by its package. */
async function documentedLines(): Promise<Record<string, string>> {
  const text = await readFile(path.join(PROJECT, "docs/operating.md"), "utf8");
  const block = /## Reading the tables[\s\S]*?```python\n([\s\S]*?)```/.exec(text)?.[1] ?? "";
  return Object.fromEntries(
    block
      .trim()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf(".")), line]),
  );
}

describe("the lines of docs/operating.md", () => {
  let tables: readonly WrittenModel[];
  let folderOf: (model: WrittenModel) => string;

  beforeAll(async () => {
    const { folder, settings } = await makeWorkspace();
    const sqlDirectory = path.join(folder, "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    await writeFile(path.join(sqlDirectory, "v1/provision/every_type.sql"), EVERY_TYPE);
    const [first = "", ...others] = DATES;
    await putVouchers(settings.zones.raw, [...times(5, voucher()), voucher({ country_code: "Perú 中国" })]);
    // Its table of rejected vouchers has no rows.
    await run({ ...settings, sqlDirectory }, first);
    await putVouchers(settings.zones.raw, [voucher({ total_orders: "?" })], "vouchers/more.parquet");
    for (const date of others) await run({ ...settings, sqlDirectory }, date);
    const { models } = await loadSqlVersion(sqlDirectory, "v1");
    tables = [...models.values()].filter(isWritten);
    folderOf = ({ layer, table }) => path.join(settings.zones[layer], table);
  }, TIMEOUT);

  const readAll = async (python: string, packages: readonly string[]) => {
    const lines = Object.entries(await documentedLines()).filter(([name]) => packages.includes(name));
    expect(lines.map(([name]) => name)).toEqual(packages);
    const folders = Object.fromEntries(tables.map((model) => [model.name, folderOf(model)]));
    const program = path.join(import.meta.dirname, "read.py");
    const { stdout, stderr, status } = spawnSync(path.join(python, "python"), ["-B", program], {
      input: JSON.stringify({ lines: Object.fromEntries(lines), folders }),
      encoding: "utf8",
    });
    if (status !== 0) throw new Error(stderr);
    return JSON.parse(stdout) as Record<string, Record<string, Seen>>;
  };
  const expectAllRows = async (seen: Record<string, Record<string, Seen>>) => {
    for (const model of tables) {
      const counts = await query(
        `SELECT execution_date, count(*)::INTEGER AS row_count
        FROM read_parquet('${folderOf(model)}/*/data.parquet', hive_partitioning = false) GROUP BY ALL`,
      );
      const dates = Object.fromEntries(
        counts.map((row) => [textOf(row, "execution_date"), Number(row["row_count"])]),
      );
      const isOfRejected = model.name === "curated.vouchers_rejected";
      expect(Object.keys(dates).sort()).toEqual(
        DATES.slice(isOfRejected ? 1 : 0).map((date) => parseExecutionDate(date).partitionKey),
      );
      for (const [name, found] of Object.entries(seen)) {
        const { types = {}, dates: rows } = found[model.name] ?? {};
        expect({ name, table: model.name, rows }).toEqual({ name, table: model.name, rows: dates });
        expect(Object.keys(types).sort()).toEqual(Object.keys(model.header.columns).sort());
      }
    }
  };

  it(
    "read every table by pandas, pyarrow and polars, and pyarrow sees the types of the header",
    async () => {
      const seen = await readAll(process.env["CORPUS_PYTHON"] ?? "", ["pandas", "pyarrow", "polars"]);
      await expectAllRows(seen);
      for (const { name, header } of tables) {
        const columns = Object.entries(header.columns).filter(([column]) => column !== "execution_date");
        expect(seen["pyarrow"]?.[name]?.types).toEqual({
          ...Object.fromEntries(columns.map(([column, { type }]) => [column, ARROW_TYPES[type]])),
          execution_date: "dictionary<values=string, indices=int32, ordered=0>",
        });
      }
    },
    TIMEOUT,
  );

  it(
    "read every table by DuckDB and Spark",
    async () => {
      await expectAllRows(await readAll(process.env["SPARK_PYTHON"] ?? "", ["duckdb", "spark"]));
    },
    TIMEOUT,
  );
});
