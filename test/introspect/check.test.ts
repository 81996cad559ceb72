import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { checkSql } from "../../src/introspect/check/check-sql.js";
import { faultText } from "../../src/introspect/check/sql-faults.js";
import { readSettings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { makeFolder, SHIPPED_SQL } from "../workspace.js";

/** A copy of the SQL in which texts of files are changed. */
async function sqlWith(changes: readonly (readonly [file: string, from: string, to: string])[]) {
  const sqlDirectory = path.join(await makeFolder(), "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
  for (const [file, from, to] of changes) {
    const place = path.join(sqlDirectory, "v1", file);
    const text = from === "" ? "" : await readFile(place, "utf8");
    if (from !== "" && !text.includes(from)) throw new Error(`${file} does not contain ${from}`);
    await mkdir(path.dirname(place), { recursive: true });
    await writeFile(place, from === "" ? to : text.replace(from, () => to));
  }
  return sqlDirectory;
}

async function faultsWith(changes: Parameters<typeof sqlWith>[0]): Promise<string[]> {
  const settings = readSettings({ SQL_DIRECTORY: await sqlWith(changes), DUCKDB_THREADS: "1" });
  const { faults } = await checkSql(settings, new AbortController().signal, { withTests: true });
  return faults.map((fault) => `${fault.code}: ${faultText(fault)}`);
}

const functions = await readFile(path.join(SHIPPED_SQL, "v1/functions/duckdb.sql"), "utf8");
/** The line of a function. */
const explode = functions.slice(0, functions.indexOf("CREATE MACRO explode")).split("\n").length;

const ANSWERS = "provision/voucher_answers.sql";
const MISSPELT = [ANSWERS, "WHERE amount_rank = 1", "WHERE amount_ranc = 1"] as const;

describe("a check of the SQL", () => {
  it("finds nothing wrong with the project's", async () => {
    expect(await faultsWith([])).toEqual([]);
  });

  it.each([
    [
      "a column that a model does not have",
      [MISSPELT],
      'sql: sql/v1/provision/voucher_answers.sql:27:9: Binder Error: Referenced column "amount_ranc" not found',
    ],
    [
      "a column that a header declares and the SELECT does not give",
      [["provision/voucher_amount_usage.sql", "  amount_rank:  ", "  amount_ranc:  "]],
      "columns: sql/v1/provision/voucher_amount_usage.sql:17:3: the header declares the column amount_ranc, but the SELECT does not give it",
    ],
    [
      "a column that the SELECT gives and the header does not declare",
      [
        [
          ANSWERS,
          "runner_up, runner_up_assignments, certainty,",
          "runner_up, runner_up_assignments, 1 AS more, certainty,",
        ],
      ],
      "columns: sql/v1/provision/voucher_answers.sql:11:1: the SELECT gives the column more (INTEGER), but the header does not declare it",
    ],
    [
      "a type that differs",
      [["measures/rejected_by_reason.sql", "type: BIGINT", "type: INTEGER"]],
      "columns: sql/v1/measures/rejected_by_reason.sql:5:3: the header declares rejected as INTEGER, but the SELECT gives BIGINT",
    ],
    [
      "columns in another order",
      [
        [
          "measures/rejected_by_reason.sql",
          "reject_reason, count(*) AS rejected\n",
          "count(*) AS rejected, reject_reason\n",
        ],
      ],
      "columns: sql/v1/measures/rejected_by_reason.sql:4:3: the SELECT gives its columns in another order: rejected, reject_reason",
    ],
    [
      "a function that does not exist, in each loop of a template",
      [["raw/vouchers.sql", "whole_number(raw_total_orders)", "whole_nomber(raw_total_orders)"]],
      "sql: sql/v1/raw/vouchers.sql:53:7: Catalog Error: Scalar Function with name whole_nomber does not exist!",
    ],
    [
      "a value that a template fills in",
      [
        [
          "measures/rejected_by_answer.sql",
          "coalesce({{ kind.name | identifier }}",
          "coalesce({{ kind.measure | identifier }}",
        ],
      ],
      'sql: sql/v1/measures/rejected_by_answer.sql:39:12: Binder Error: Referenced column "total_orders" not found',
    ],
    [
      "an audit after a loop",
      [["audits/key_is_complete.sql", "ORDER BY ALL", "ORDER BY nothing"]],
      'sql: sql/v1/audits/key_is_complete.sql:11:10: Binder Error: Referenced column "nothing" not found',
    ],
    [
      "an audit in a header",
      [[ANSWERS, "certainty >= 0", "certaintly >= 0"]],
      'sql: sql/v1/provision/voucher_answers.sql:10:71: Binder Error: Referenced column "certaintly" not found',
    ],
    [
      "an audit in a header with a value that does not exist",
      [[ANSWERS, "{{ model.name | ref }} WHERE NOT", "{{ modl.name | ref }} WHERE NOT"]],
      "template: sql/v1/provision/voucher_answers.sql:10: undefined variable: modl",
    ],
    [
      "an inspection",
      [["inspections/vouchers.sql", "FROM {{", "FROM nothing, {{"]],
      "sql: sql/v1/inspections/vouchers.sql:12:6: Catalog Error: Table with name nothing does not exist!",
    ],
    [
      "a template of an inspection",
      [["inspections/vouchers.sql", "FROM {{", "FROM {{ nothing }}, {{"]],
      "template: sql/v1/inspections/vouchers.sql:12: undefined variable: nothing",
    ],
    [
      "a template of the functions",
      [["functions/duckdb.sql", "CREATE MACRO explode", "{{ nothing }} CREATE MACRO explode"]],
      `template: sql/v1/functions/duckdb.sql:${explode}: undefined variable: nothing`,
    ],
    [
      "more than a SELECT",
      [
        [
          "measures/rejected_by_reason.sql",
          "ORDER BY rejected DESC, reject_reason",
          "; DROP TABLE curated.vouchers",
        ],
      ],
      "sql: sql/v1/measures/rejected_by_reason.sql: it is more than one SELECT",
    ],
    [
      "the functions",
      [
        [
          "functions/duckdb.sql",
          "CREATE MACRO explode(items) AS unnest(items);",
          "CREATE MACRO explode(items) AS unnest(items;",
        ],
      ],
      `sql: sql/v1/functions/duckdb.sql:${explode}:44: Parser Error: syntax error at or near ";"`,
    ],
    [
      "a model that reads against the flow",
      [[ANSWERS, 'FROM {{ "provision.voucher_amount_usage" | ref }}\n', 'FROM {{ "raw.vouchers" | ref }}\n']],
      "reference: sql/v1/provision/voucher_answers.sql: a model of provision cannot read raw.vouchers; data flows one way",
    ],
    [
      "a test of a model that does not exist",
      [["tests/curated.vuchers.yaml", "", "- name: x\n  expect: []\n"]],
      "test: sql/v1/tests/curated.vuchers.yaml:1: there is no such model",
    ],
  ] as const)("finds %s", async (_what, changes, fault) => {
    expect(await faultsWith(changes)).toContainEqual(expect.stringContaining(fault));
  });

  it("finds all faults of all files at once, and none that follow from others", async () => {
    expect(
      await faultsWith([
        MISSPELT,
        ["provision/voucher_amount_usage.sql", "key: [", "kye: ["],
        ["audits/known_at_execution_date.sql", "voucher_amount IS NULL", "amount IS NULL"],
        ["measures/answers_closest_to_change.sql", "LIMIT 20", "LIMIT 20 {{ twenty }}"],
      ]),
    ).toEqual([
      expect.stringMatching(/^sql: sql\/v1\/audits\/known_at_execution_date\.sql:10:6: /),
      expect.stringMatching(/^template: sql\/v1\/measures\/answers_closest_to_change\.sql:16: /),
      expect.stringMatching(/^header: sql\/v1\/provision\/voucher_amount_usage\.sql:5: unknown key 'kye'/),
    ]);
  });

  it("names the model whose header gives an audit a column that it does not have", async () => {
    const [fault] = await faultsWith([
      [ANSWERS, "audits:\n", "audits:\n  - not_null: { column: certaintly }\n"],
    ]);
    expect(fault).toMatch(/; it is an audit of sql\/v1\/provision\/voucher_answers\.sql$/);
  });

  it("names an audit that does not exist", async () => {
    const faults = await faultsWith([
      ["provision/voucher_amount_usage.sql", "audits:\n", "audits:\n  - nope\n"],
    ]);
    expect(faults).toEqual([expect.stringContaining("unknown audit 'nope'")]);
  });

  it("names no place in a model if the fault is in the body of a function that it calls", async () => {
    const [fault] = await faultsWith([
      [
        "functions/duckdb.sql",
        "CREATE MACRO explode(items) AS unnest(items)",
        "CREATE MACRO explode(items) AS unnest(length(items) + 1)",
      ],
    ]);
    expect(fault).toMatch(/^sql: sql\/v1\/measures\/\w+\.sql: Binder Error: /);
  });
});

describe("pipeline check", () => {
  it("needs no zone and no database, and ends with 0", async () => {
    const folder = await makeFolder();
    const environment = {
      RAW_ZONE: path.join(folder, "raw"),
      CONSUMPTION_URL: "mysql://nobody@127.0.0.1:1/none",
    };
    const { code, stdout } = await pipeline(["check"], environment);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+ files checked: all is well\n$/)]);
  });

  it("ends as an invalid model does, and so do plan and doctor", async () => {
    const environment = { SQL_DIRECTORY: await sqlWith([MISSPELT]) };
    const told = "sql/v1/provision/voucher_answers.sql:27:9: Binder Error: Referenced column";
    for (const command of [["check"], ["plan", "-e", "2020-05-29"]]) {
      const { code, stderr } = await pipeline(command, environment);
      expect([code, stderr]).toEqual([2, expect.stringContaining(`error INVALID_MODEL: ${told}`)]);
    }
    const { code, stdout } = await pipeline(["doctor"], environment);
    expect([code, stdout]).toEqual([
      2,
      expect.stringMatching(/failed +sql binds +INVALID_MODEL: sql\/v1\/provision/),
    ]);
  });

  it("prints faults as JSON for editors", async () => {
    const { code, stdout } = await pipeline(["check", "--json"], {
      SQL_DIRECTORY: await sqlWith([MISSPELT]),
    });
    expect([code, JSON.parse(stdout)]).toEqual([
      2,
      [
        {
          file: "sql/v1/provision/voucher_answers.sql",
          line: 27,
          column: 9,
          code: "sql",
          message: expect.stringContaining("amount_ranc"),
        },
      ],
    ]);
  });

  it("tells of a version that does not exist", async () => {
    const sqlDirectory = await sqlWith([]);
    await rm(path.join(sqlDirectory, "v1"), { recursive: true });
    const { code, stderr } = await pipeline(["check"], { SQL_DIRECTORY: sqlDirectory });
    expect([code, stderr]).toEqual([2, expect.stringContaining("cannot read the SQL version 'v1'")]);
  });

  it.each(["raw", "provision", "measures", "audits", "inspections", "functions", "tests"])(
    "prints the JSON Schema of %s",
    async (folder) => {
      const { code, stdout } = await pipeline(["check", "--schema", folder]);
      expect([code, JSON.parse(stdout)]).toEqual([
        0,
        expect.objectContaining({ type: expect.stringMatching(/^(object|array)$/) }),
      ]);
    },
  );
});
