import { cp, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { runTests } from "../../src/introspect/check/run-tests.js";
import { readSettings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { voucher } from "../raw-vouchers.js";
import { runOver } from "../run/running.js";
import { makeFolder, SHIPPED_SQL } from "../workspace.js";

const COUNTRY = "provision.voucher_country_most_used";

const USAGE = `- name: a tie
  given:
    provision.voucher_amount_usage:
      - { country_code: Peru, segment_kind: frequent_segment, voucher_amount: 7, assignments: 2 }
      - { country_code: Peru, segment_kind: frequent_segment, voucher_amount: 8, assignments: 2 }
`;

let sqlDirectory = "";

beforeAll(async () => {
  sqlDirectory = path.join(await makeFolder(), "sql");
  await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
});

/** How the cases of a test end. */
async function failures(text: string, model = COUNTRY): Promise<string[]> {
  await writeFile(path.join(sqlDirectory, "v1/tests", `${model}.yaml`), text);
  const settings = readSettings({ SQL_DIRECTORY: sqlDirectory, DUCKDB_THREADS: "1" });
  const results = await runTests(settings, model, new AbortController().signal);
  return results.flatMap((one) => one.failures.map(({ line, message }) => `${line.toString()}: ${message}`));
}

describe("a test of a model", () => {
  it("passes if the rows are as expected, in the named columns", async () => {
    expect(await failures(`${USAGE}  expect: [{ voucher_amount: 7 }]\n`)).toEqual([]);
  });

  it.each([
    [
      "a cell",
      "expect: [{ country_code: Peru, voucher_amount: 8 }]",
      ["6: row 1, column voucher_amount: expected 8, got 7"],
    ],
    [
      "a row that is missing",
      "expect: [{ country_code: Peru }, { country_code: Chile, voucher_amount: 9 }]",
      ['6: row 2: no row is like {"country_code":"Chile","voucher_amount":9}'],
    ],
    [
      "a row more",
      "expect: []",
      [expect.stringContaining('6: a row more than expected: {"country_code":"Peru"')],
    ],
    [
      "a value that its type cannot have",
      "expect: [{ voucher_amount: seven }]",
      ['6: row 1, column voucher_amount: "seven" is not a INTEGER'],
    ],
    [
      "a fraction for a whole number",
      "expect: [{ voucher_amount: 6.5 }]",
      ['6: row 1, column voucher_amount: "6.5" is not a INTEGER'],
    ],
    ["an audit that finds nothing", "raises: unique_key", ["6: the audit unique_key finds no rows"]],
    ["an audit that finds rows", "passes: key_is_complete\n  execution_date: 2020-05-28", []],
  ])("shows %s", async (_what, expectation, shown) => {
    expect(await failures(`${USAGE}  ${expectation}\n`)).toEqual(shown);
  });

  it("names a given value that its type cannot have", async () => {
    const given = "- name: x\n  given: { curated.vouchers: [{ voucher_amount: abc }] }\n";
    const file = `${given}  expect: [{ voucher_amount: 1 }]\n`;
    expect(await failures(file)).toEqual(['2: row 1, column voucher_amount: "abc" is not a INTEGER']);
  });

  it("shows an audit that finds rows, with one of them", async () => {
    const given = "- name: x\n  given: { provision.voucher_country_most_used: [{ voucher_amount: 1 }] }\n";
    expect(await failures(`${given}  passes: key_is_complete\n`)).toEqual([
      '3: the audit key_is_complete finds {"country_code":null,"execution_date":null}',
    ]);
  });

  it("compares the order of rows only with ordered", async () => {
    const given = `- name: x
  given:
    provision.voucher_amount_usage:
      - { country_code: B, segment_kind: frequent_segment, voucher_amount: 1, assignments: 1 }
      - { country_code: A, segment_kind: frequent_segment, voucher_amount: 1, assignments: 1 }
  expect: [{ country_code: B }, { country_code: A }]
`;
    expect(await failures(given)).toEqual([]);
    expect(await failures(`${given}  ordered: true\n`)).toEqual([
      '6: row 1, column country_code: expected "B", got "A"',
      '6: row 2, column country_code: expected "A", got "B"',
    ]);
  });

  it("does not see the rows of another case", async () => {
    expect(await failures(`${USAGE}  expect: [{ voucher_amount: 7 }]\n- name: none\n  expect: []\n`)).toEqual(
      [],
    );
  });

  it.each([
    [
      "a model that it does not read",
      "given: { curated.vuchers: [] }\n  expect: []",
      "2: provision.voucher_country_most_used does not read 'curated.vuchers'",
    ],
    [
      "an unknown column",
      "given: { curated.vouchers: [{ country: Peru }] }\n  expect: []",
      "2: unknown column 'country' of curated.vouchers",
    ],
    [
      "an unknown column of a raw file",
      "given: { raw.vouchers: [{ is_rejected: true }] }\n  expect: []",
      "2: unknown column 'is_rejected' of raw.vouchers",
    ],
    ["an unknown expected column", "expect: [{ voucher_amont: 7 }]", "2: unknown column 'voucher_amont'"],
    [
      "an unknown key",
      "expects: []",
      "2: unknown key 'expects'; known keys: name, execution_date, given, expect, ordered, raises, passes",
    ],
    [
      "an unknown audit",
      "raises: not_empty",
      "2: unknown audit 'not_empty' of provision.voucher_country_most_used",
    ],
    [
      "a date that does not exist",
      "execution_date: 2020-02-30\n  expect: []",
      "2: '2020-02-30' is not a valid date",
    ],
    ["nothing to expect", "given: {}", "1: a case needs expect, raises or passes"],
    ["a name twice", "expect: []\n- name: x\n  expect: []", "3: another case has the name 'x'"],
    [
      "rows of a model that is given",
      "given: { provision.voucher_country_most_used: [] }\n  expect: []",
      "3: provision.voucher_country_most_used is given",
    ],
    ["YAML that is none", "expect: [", "3: "],
  ])("with %s is refused", async (_what, text, fault) => {
    await expect(failures(`- name: x\n  ${text}\n`)).rejects.toMatchObject({
      code: "INVALID_MODEL",
      message: expect.stringContaining(`sql/v1/tests/${COUNTRY}.yaml:${fault}`),
    });
  });
});

describe("pipeline test", () => {
  it("ends with 3 if a case fails, and names file, line and cell", async () => {
    await failures(`${USAGE}  expect: [{ voucher_amount: 8 }]\n`);
    const environment = { SQL_DIRECTORY: sqlDirectory };
    const { code, stdout, stderr } = await pipeline(["test", COUNTRY], environment);
    expect([code, stdout, stderr]).toEqual([
      3,
      `sql/v1/tests/${COUNTRY}.yaml: 1 case, 1 failed\n`,
      `error TEST_FAILED: 1 of 1 case failed:\nsql/v1/tests/${COUNTRY}.yaml:1: a tie\n` +
        `  sql/v1/tests/${COUNTRY}.yaml:6: row 1, column voucher_amount: expected 8, got 7\n`,
    ]);
    const asJson = await pipeline(["test", COUNTRY, "--json"], environment);
    expect([asJson.code, JSON.parse(asJson.stdout)]).toEqual([
      3,
      [
        expect.objectContaining({
          name: "a tie",
          line: 1,
          passed: false,
          failures: [
            expect.objectContaining({ line: 6, row: 1, column: "voucher_amount", expected: 8, got: 7 }),
          ],
        }),
      ],
    ]);
  });

  it("tells which models have tests", async () => {
    const { code, stderr } = await pipeline(["test", "curated.nothing"]);
    expect([code, stderr]).toEqual([
      2,
      expect.stringContaining("curated.nothing has no tests; these models have tests: curated.vouchers,"),
    ]);
  });

  it.each(["raw.vouchers", "curated.vouchers_rejected", COUNTRY, "measures.answer_margins"])(
    "prints a test of %s from the rows of a run, which passes",
    async (model) => {
      const { environment, report } = await runOver([
        voucher(),
        voucher({ voucher_amount: "9" }),
        voucher({ country_code: " Perú: \"'", voucher_amount: "free" }),
        voucher({ total_orders: null }),
      ]);
      const made = await pipeline(["test", "--from-run", report.run_id, model, "--rows", "3"], environment);
      expect(made).toMatchObject({ code: 0, stderr: "" });
      expect(made.stdout).toContain(`- name: some rows of run ${report.run_id}\n`);
      expect(await failures(made.stdout, model)).toEqual([]);
    },
  );

  it("refuses a run that does not exist, and a partition that another run has replaced", async () => {
    const { environment, report, settings } = await runOver([voucher(), voucher({ voucher_amount: "9" })]);
    expect(await pipeline(["test", COUNTRY, "--from-run", "nothing"], environment)).toMatchObject({
      code: 2,
    });
    await cp(
      path.join(settings.zones.provision, "voucher_country_most_used"),
      path.join(settings.zones.provision, "voucher_amount_usage"),
      { recursive: true, force: true },
    );
    const { code } = await pipeline(["test", COUNTRY, "--from-run", report.run_id], environment);
    expect(code).toBe(3);
  });
});
