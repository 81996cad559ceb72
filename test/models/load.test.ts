import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { INTERNAL_TABLES } from "../../src/consumption/schema.js";
import { dictionaryOf } from "../../src/dictionary/dictionary.js";
import { loadSqlVersion } from "../../src/models/load.js";
import { traceForDictionary } from "../../src/run/column-lineage.js";
import { planRun } from "../../src/run/plan.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { makeFolder, PROJECT, SHIPPED_SQL } from "../workspace.js";

/** A copy of the SQL with one file written anew. */
async function sqlWith(file: string, text: string) {
  const sqlDirectory = path.join(await makeFolder(), "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  await writeFile(path.join(sqlDirectory, "v1", file), text);
  return sqlDirectory;
}

function model(
  header: string,
  select = "SELECT 1 AS number, {{ partition_key }} AS execution_date ORDER BY ALL",
) {
  const columns =
    "columns:\n  number: { type: INTEGER, description: N }\n  execution_date: { type: VARCHAR, description: D }\n";
  return `/*\ndescription: D\n${columns}${header}\n*/\n${select}`;
}

async function plan(sqlDirectory: string) {
  return planRun(await loadSqlVersion(sqlDirectory, "v1"), {
    executionDate: parseExecutionDate("2020-05-29"),
    maxRejectedShare: "0.5",
    rawRoot: "raw",
    rawParts: new Map(),
  });
}

describe("the models of a version", () => {
  it("run in an order in which each comes after what it reads", async () => {
    const { steps } = await plan(SHIPPED_SQL);
    const names = steps.map((step) => step.model.name);
    for (const { model: built, reads } of steps) {
      for (const read of reads) expect(names.indexOf(read)).toBeLessThan(names.indexOf(built.name));
    }
  });

  it.each([
    ["an unknown audit", "audits: [no_such]", "unknown audit 'no_such'; known audits: accepted_values"],
    [
      "an audit of its own that has the name of another",
      "audits: [{ not_empty: { description: D, select: SELECT 1 } }]",
      "'not_empty' is already the name of another audit",
    ],
    ["a key that is no column", "key: [nothing]", "unknown column 'nothing'"],
    ["a publish without a key", "publish: true", "a published model needs a key"],
  ])("with %s are refused", async (_fault, header, message) => {
    const sqlDirectory = await sqlWith("provision/extra.sql", model(header));
    await expect(loadSqlVersion(sqlDirectory, "v1")).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining(message),
    });
  });

  it.each([...INTERNAL_TABLES, "kysely_migration", "kysely_migration_lock", "sqlite_stat1"])(
    "that are published must not have the name of the database's own table %s",
    async (name) => {
      const sqlDirectory = await sqlWith(
        `provision/${name}.sql`,
        model("key: [execution_date]\npublish: true"),
      );
      await expect(loadSqlVersion(sqlDirectory, "v1")).rejects.toMatchObject({
        code: "INVALID_MODEL",
        message: expect.stringContaining(
          `sql/v1/provision/${name}.sql:7: publish: the table name ${name} is reserved; rename the file`,
        ),
      });
      await rm(path.join(sqlDirectory, `v1/provision/${name}.sql`));
      await writeFile(path.join(sqlDirectory, `v1/provision/${name}.sql`), model(""));
      await expect(loadSqlVersion(sqlDirectory, "v1")).resolves.toBeDefined();
    },
  );

  it("must say their execution date in every row", async () => {
    const text =
      "/*\ndescription: D\ncolumns:\n  number: { type: INTEGER, description: N }\n*/\nSELECT 1 AS number ORDER BY ALL";
    await expect(loadSqlVersion(await sqlWith("provision/extra.sql", text), "v1")).rejects.toMatchObject({
      message: expect.stringContaining("add a column execution_date of type VARCHAR"),
    });
  });

  it("must not read each other in a circle", async () => {
    const select = "SELECT number, execution_date FROM {{ 'provision.extra' | ref }} ORDER BY ALL";
    const sqlDirectory = await sqlWith("provision/extra.sql", model("", select));
    await expect(plan(sqlDirectory)).rejects.toMatchObject({
      message: expect.stringContaining("provision.extra → provision.extra"),
    });
  });

  it("must not read against the flow of the zones", async () => {
    const select =
      "SELECT 1 AS number, {{ partition_key }} AS execution_date FROM {{ 'raw.vouchers' | ref }} ORDER BY ALL";
    const sqlDirectory = await sqlWith("provision/extra.sql", model("", select));
    await expect(plan(sqlDirectory)).rejects.toMatchObject({
      message: expect.stringContaining("a model of provision cannot read raw.vouchers"),
    });
  });

  const UNORDERED = [
    "SELECT 1 AS number, 'x' AS execution_date",
    "SELECT * FROM (SELECT 1 AS number, 'x' AS execution_date ORDER BY ALL) WHERE number > 0",
    "SELECT DISTINCT * FROM (SELECT 1 AS number, 'x' AS execution_date ORDER BY ALL)",
    "SELECT * FROM (SELECT 1 AS number) JOIN (SELECT 'x' AS execution_date ORDER BY ALL) ON true",
    "SELECT 2 AS number, 'y' AS execution_date UNION ALL SELECT * FROM (SELECT 1 AS number, 'x' AS execution_date ORDER BY ALL)",
    "SELECT * FROM (SELECT DISTINCT * FROM (SELECT 1 AS number, 'x' AS execution_date ORDER BY ALL))",
    "SELECT 1 AS number, 'x' AS execution_date {% comment %} ORDER BY ALL {% endcomment %}",
    `SELECT 1 AS number, 'x' AS execution_date, 2 AS " order by "`,
    "SELECT sum(1) OVER (ORDER BY n) AS number, 'x' AS execution_date FROM range(2) AS t (n)",
  ];
  it.each(UNORDERED)(
    "must end in a total order, so that every run writes the same bytes: %s",
    async (select) => {
      const sqlDirectory = await sqlWith("provision/extra.sql", model("", select));
      await expect(loadSqlVersion(sqlDirectory, "v1")).rejects.toMatchObject({
        message: expect.stringContaining("ORDER BY"),
      });
    },
  );

  const ORDERED = [
    "SELECT number, upper('x') AS execution_date FROM (SELECT 1 AS number ORDER BY coalesce(number, 0))",
    "SELECT number, 'x' AS execution_date FROM (SELECT 1 AS number ORDER BY ALL) AS sorted",
    "WITH one AS (SELECT 1 AS number UNION SELECT 2) SELECT *, 'x' AS execution_date FROM (SELECT * FROM one ORDER BY ALL)",
  ];
  it.each(ORDERED)(
    "may compute further columns after they have put the rows in order: %s",
    async (select) => {
      const sqlDirectory = await sqlWith("provision/extra.sql", model("", select));
      await expect(loadSqlVersion(sqlDirectory, "v1")).resolves.toBeDefined();
    },
  );

  it("need the raw model whose files an inspection is about", async () => {
    const inspection = "/*\ndescription: Orders.\n*/\nSELECT 1 AS orders\n";
    const sqlDirectory = await sqlWith("inspections/orders.sql", inspection);
    await expect(loadSqlVersion(sqlDirectory, "v1")).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining("sql/v1/inspections/orders.sql: the model raw.orders does not exist"),
    });
  });

  it("need the version to be there", async () => {
    await expect(loadSqlVersion(SHIPPED_SQL, "v9")).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining("v9"),
    });
  });

  it("need the audits that run on every model", async () => {
    const sqlDirectory = await sqlWith("provision/extra.sql", model(""));
    await rm(path.join(sqlDirectory, "v1/audits/unique_key.sql"));
    await expect(loadSqlVersion(sqlDirectory, "v1")).rejects.toMatchObject({
      message: expect.stringContaining("unique_key"),
    });
  });
});

describe("the hash of a version", () => {
  it("changes with every file of it, and with nothing else", async () => {
    const original = await loadSqlVersion(SHIPPED_SQL, "v1");
    const audit = await readFile(path.join(SHIPPED_SQL, "v1/audits/not_empty.sql"), "utf8");
    const same = await loadSqlVersion(await sqlWith("audits/not_empty.sql", audit), "v1");
    const other = await loadSqlVersion(await sqlWith("audits/not_empty.sql", `${audit}-- changed\n`), "v1");
    expect(same.hash).toBe(original.hash);
    expect(other.hash).not.toBe(original.hash);
  });
});

describe("the data dictionary", () => {
  it("in docs/ is the one that the headers give", async () => {
    const version = await loadSqlVersion(path.join(PROJECT, "sql"), "v1");
    expect(await readFile(path.join(PROJECT, "docs/data-dictionary.md"), "utf8")).toBe(
      dictionaryOf(version, await traceForDictionary(version)),
    );
  });
});
