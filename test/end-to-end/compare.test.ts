import { cp, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import type { Comparison } from "../../src/record/comparison.js";
import type { RunReport } from "../../src/record/run-record.js";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";
import { hashesOf, putFile } from "../storage.js";
import { makeFolder, makeWorkspace, PROJECT } from "../workspace.js";

/** 2640 is used most by customers with 5 to 13 orders. Without those with 12 orders, 880 is. */
const VOUCHERS = [
  ...times(4, voucher({ voucher_amount: "880" })),
  ...times(6, voucher({ total_orders: "12" })),
  ...times(3, voucher({ country_code: "Chile", voucher_amount: "70" })),
];

/** A folder of SQL whose v2 ends the second segment at 10 orders. */
async function otherSql(): Promise<string> {
  const folder = await makeFolder();
  await cp(path.join(PROJECT, "sql/v1"), path.join(folder, "v1"), { recursive: true });
  await cp(path.join(PROJECT, "sql/v1"), path.join(folder, "v2"), { recursive: true });
  const file = path.join(folder, "v2/segments.json");
  await writeFile(file, (await readFile(file, "utf8")).replace('"up_to": 13', '"up_to": 10'));
  return folder;
}

/** Everything that a comparison must leave as it is. */
async function contentsOf(settings: Settings): Promise<object> {
  const { raw, curated, provision } = settings.zones;
  const tables = [
    "pipeline_runs",
    "publications",
    "withdrawals",
    "sql_versions",
    "backfills",
    "voucher_answers",
  ];
  return {
    files: [
      await hashesOf(raw),
      await hashesOf(curated),
      await hashesOf(provision),
      await hashesOf(settings.runReports),
    ],
    tables: await Promise.all(
      tables.map((table) => readTable(settings, `SELECT * FROM ${table} ORDER BY 1, 2, 3`)),
    ),
  };
}

describe("pipeline compare", () => {
  it("says in words which answers other SQL would change, with their certainty", async () => {
    const { environment } = await runOver(VOUCHERS);
    const { code, stdout } = await pipeline(
      ["compare", "-e", "2020-05-29", "--sql", await otherSql(), "--sql-version", "v2"],
      environment,
    );
    expect(code).toBe(0);
    expect(stdout).toContain(
      "SQL v2 for 29 May 2020\n2 of 5 answers would change since the publication of this date.\n",
    );
    expect(stdout).toContain(
      "\nChanged answers\n" +
        "  Peru · frequent 13-37: no answer → 2640, sure (99%), on 6 vouchers\n" +
        "  Peru · frequent 5-13: 2640 → 880, likely (94.2%), on 4 vouchers\n",
    );
    expect(stdout).toContain(
      "\nThe SQL changed since 29 May 2020: v2 instead of v1, 1 file differs (segments.json).\n" +
        "The raw files are those of the publication.\n",
    );
  });

  it("gives the answers that a real run gives then, and changes nothing in zones and database", async () => {
    const { settings, environment } = await runOver(VOUCHERS);
    const sql = await otherSql();
    const before = await contentsOf(settings);
    const { stdout } = await pipeline(
      ["compare", "-e", "2020-05-29", "--sql", path.join(sql, "v2"), "--json"],
      environment,
    );
    expect(await contentsOf(settings)).toEqual(before);
    const changed = { ...environment, SQL_DIRECTORY: sql, SQL_VERSION: "v2" };
    const ran = await pipeline(["-e", "2020-05-29", "--replace-version", "--json"], changed);
    const { answers } = JSON.parse(ran.stdout) as RunReport;
    expect((JSON.parse(stdout) as Comparison).answers).toEqual(answers);
  });

  it("prices a campaign as the API does, before and after, by country", async () => {
    const { folder, environment } = await runOver(VOUCHERS);
    const campaign = path.join(folder, "customers.csv");
    await writeFile(
      campaign,
      [
        "country_code,segment_name,total_orders,last_order_ts",
        "Peru,frequent_segment,7,",
        "Peru,frequent_segment,12,",
        "Chile,recency_segment,,2020-04-20",
        "Peru,frequent_segment,,",
        "",
      ].join("\n"),
    );
    const words = ["compare", "-e", "2020-05-29", "--sql", path.join(await otherSql(), "v2")];
    const priced = [...words, "--campaign", campaign, "--as-of", "2020-05-29"];
    const { stdout } = await pipeline([...priced, "--json"], environment);
    expect((JSON.parse(stdout) as Comparison).campaign).toEqual({
      file: "customers.csv",
      as_of: "2020-05-29",
      customers: 3,
      changed: 1,
      faulty: 1,
      first_fault: "line 5: total_orders is needed for frequent_segment",
      before: { vouchers: 3, total_amount: 5350 },
      after: { vouchers: 3, total_amount: 3590 },
      countries: [
        {
          country_code: "Peru",
          customers: 2,
          before: { vouchers: 2, total_amount: 5280 },
          after: { vouchers: 2, total_amount: 3520 },
        },
        {
          country_code: "Chile",
          customers: 1,
          before: { vouchers: 1, total_amount: 70 },
          after: { vouchers: 1, total_amount: 70 },
        },
      ],
    });
    expect((await pipeline(priced, environment)).stdout).toContain(
      "The campaign customers.csv has 3 customers and would cost 3,590 for 3 vouchers; " +
        "with the published answers 5,350 for 3 vouchers. The voucher of 1 customer would change. " +
        "1 line of the file is faulty.\n",
    );
  });

  it("says if raw files differ from those of the publication, and compares anyway", async () => {
    const { settings, environment } = await runOver(VOUCHERS);
    await putVouchers(
      settings.zones.raw,
      times(20, voucher({ voucher_amount: "5" })),
      "vouchers/new.parquet",
    );
    const { code, stdout } = await pipeline(["compare", "-e", "2020-05-29"], environment);
    expect(code).toBe(0);
    expect(stdout).toContain("2 of 4 answers would change since the publication of this date.\n");
    expect(stdout).toContain(
      "The SQL is the same.\n" +
        "The raw files differ from those of the publication (vouchers/new.parquet is new). This can also change answers.\n",
    );
  });

  it("compares with the newest publication before a date that is not published", async () => {
    const { environment } = await runOver(VOUCHERS, "2020-05-28");
    const { stdout } = await pipeline(["compare", "-e", "2020-05-29"], environment);
    expect(stdout).toContain("0 of 4 answers would change since 28 May 2020.\n");
    expect(stdout).toContain("29 May 2020 is not published, so readers get the answers for 28 May 2020.");
  });

  it("tells the answers if nothing is published, and makes no database", async () => {
    const { settings, environment, folder } = await makeWorkspace();
    await putVouchers(settings.zones.raw, VOUCHERS);
    const { code, stdout } = await pipeline(["compare", "-e", "2020-05-29"], environment);
    expect(code).toBe(0);
    expect(stdout).toContain("\n4 answers. There is no earlier publication to compare.\n");
    if (settings.consumptionUrl.startsWith("sqlite:"))
      await expect(readFile(path.join(folder, "consumption.db"))).rejects.toThrow("ENOENT");
  });

  it("prints Markdown for a pull request", async () => {
    const { environment } = await runOver(VOUCHERS);
    const words = ["compare", "-e", "2020-05-29", "--sql", path.join(await otherSql(), "v2"), "--markdown"];
    const { stdout } = await pipeline(words, environment);
    expect(stdout).toMatch(/^# SQL v2 for 29 May 2020\n\n2 of 5 answers would change since /);
    expect(stdout).toContain("\n## Changed answers\n\n- Peru · frequent ");
    expect(stdout).toContain("\n| v2/segments.json | SQL | changed |\n");
  });

  it("ends with 3 if more answers would change than --max-changed allows, and prints the comparison", async () => {
    const { environment } = await runOver(VOUCHERS);
    const words = [
      "compare",
      "-e",
      "2020-05-29",
      "--sql",
      path.join(await otherSql(), "v2"),
      "--max-changed",
    ];
    expect(await pipeline([...words, "1"], environment)).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("The limit is 1 (--max-changed): stopped.\n"),
      stderr: expect.stringContaining("TOO_MANY_CHANGES: 2 answers would change, the limit is 1."),
    });
    expect((await pipeline([...words, "50%"], environment)).code).toBe(0);
  });

  it("ends with the fault of a run if the SQL breaks an audit", async () => {
    const { environment } = await runOver(VOUCHERS);
    const sql = await otherSql();
    const file = path.join(sql, "v2/provision/voucher_amount_usage.sql");
    await writeFile(
      file,
      (await readFile(file, "utf8")).replace("DESC, voucher_amount\n", ", voucher_amount\n"),
    );
    const { code, stderr } = await pipeline(
      ["compare", "-e", "2020-05-29", "--sql", path.join(sql, "v2")],
      environment,
    );
    expect({ code, stderr }).toMatchObject({ code: 3, stderr: expect.stringContaining("AUDIT_FAILED") });
  });

  it("says if the SQL of the publication is not stored", async () => {
    const { settings, environment } = await runOver(VOUCHERS);
    await readTable(settings, "DELETE FROM sql_versions");
    const words = ["compare", "-e", "2020-05-29", "--sql", path.join(await otherSql(), "v2")];
    expect((await pipeline(words, environment)).stdout).toContain(
      "The SQL changed since 29 May 2020: v2 instead of v1; the earlier files are not stored.\n",
    );
  });

  it.each([
    [["--markdown", "--json"], "--markdown cannot be combined with --json"],
    [["--as-of", "2020-05-29"], "--as-of needs --campaign"],
    [["--ignore-toss-ups"], "--ignore-toss-ups needs --max-changed"],
    [["--sql-version", "two"], "--sql-version must be a version, for example v2"],
    [["--campaign", "missing.csv"], "cannot read the campaign missing.csv: ENOENT"],
    [["--sql", "sql/v1", "--sql-version", "v2"], "--sql is the folder of v1, but --sql-version is v2"],
  ])("refuses %j", async (options, words) => {
    const { environment } = await makeWorkspace();
    expect(await pipeline(["compare", "-e", "2020-05-29", ...options], environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(words),
    });
  });

  it("names the columns that a campaign lacks", async () => {
    const { folder, environment } = await runOver(VOUCHERS);
    const campaign = path.join(folder, "customers.csv");
    await writeFile(campaign, "country,total_orders\nPeru,7\n");
    expect(
      await pipeline(["compare", "-e", "2020-05-29", "--campaign", campaign], environment),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("segment_name is missing in the header"),
    });
  });

  it("leaves nothing in the folder for temporary files", async () => {
    const { folder, environment } = await runOver(VOUCHERS);
    await rm(path.join(folder, "temp"), { recursive: true, force: true });
    await pipeline(["compare", "-e", "2020-05-29"], environment);
    expect(await hashesOf(path.join(folder, "temp"))).toEqual({});
  });
});

describe("pipeline compare --against", () => {
  it("compares the raw data and SQL of one profile with the readers of another, which stays as it is", async () => {
    const prod = await runOver(VOUCHERS);
    const dev = await makeWorkspace();
    await putVouchers(dev.settings.zones.raw, [...VOUCHERS, ...times(9, voucher({ voucher_amount: "5" }))]);
    await run(dev.settings);
    const folder = await makeFolder();
    await putFile(folder, ".env.prod", linesOf(prod.environment));
    await putFile(folder, ".env.dev", linesOf(dev.environment));
    const before = await contentsOf(prod.settings);
    const words = ["--profile", "dev", "compare", "-e", "2020-05-29", "--against", "prod", "--json"];
    const { code, stdout } = await pipeline(words, {}, folder);
    expect(code).toBe(0);
    const comparison = JSON.parse(stdout) as Comparison;
    expect(comparison.compared_with).toMatchObject({ profile: "prod", run_id: prod.report.run_id });
    expect(comparison.answers.changed).toMatchObject({ count: 2, answers: 4 });
    expect(await contentsOf(prod.settings)).toEqual(before);
  });

  it("is refused if the other profile has no file", async () => {
    const { environment } = await makeWorkspace();
    expect(
      await pipeline(["compare", "-e", "2020-05-29", "--against", "prod"], environment, await makeFolder()),
    ).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/the profile prod has no file .*\.env\.prod\. Create it/),
    });
  });
});

function linesOf(environment: Record<string, string>): string {
  return Object.entries(environment)
    .map(([name, value]) => `${name}=${value}\n`)
    .join("");
}
