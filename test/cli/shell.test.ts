import { execFileSync, spawnSync } from "node:child_process";
import { cp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { printResult, type ResultFormat } from "../../src/cli/shell-output.js";
import type { Row } from "../../src/engine/builder.js";
import { withShell } from "../../src/introspect/shell.js";
import type { Settings } from "../../src/settings/settings.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { putFile } from "../storage.js";
import { fingerprint, makeWorkspace, SHIPPED_SQL, type Workspace } from "../workspace.js";
import { MAIN, pipeline as pipelineInNewProcess } from "./command.js";
import { describeViews } from "./shell-views.js";
import { folderWithDuckDb, shellOnTerminal } from "./terminal.js";
import { pipeline } from "./warm-command.js";

describe("the views of the shell", () => {
  describeViews("local+sqlite", async (sql, environment) => {
    const { code, stdout, stderr } = await pipeline(["shell", "--json", "-c", sql], environment);
    if (code !== 0) throw new Error(stderr);
    expect(stderr).toBe("");
    return JSON.parse(stdout) as Row[];
  });

  it("include a table from a new SQL file", async () => {
    const { environment, folder } = await makeWorkspace();
    const sqlDirectory = path.join(folder, "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    await writeFile(
      path.join(sqlDirectory, "v1/curated/countries.sql"),
      `/*\ndescription: D\ncolumns:\n  filename: { type: DATE, description: D }\n` +
        `  execution_date: { type: VARCHAR, description: D }\n*/\n` +
        `SELECT DATE '2020-01-01' AS filename, {{ partition_key }} AS execution_date ORDER BY ALL\n`,
    );
    const added = { ...environment, SQL_DIRECTORY: sqlDirectory };
    await putVouchers(environment["RAW_ZONE"] ?? "", [voucher()]);
    expect(await pipeline(["curate", "-e", "2020-05-29"], added)).toMatchObject({ code: 0 });
    const asked = ["shell", "-e", "2020-05-29", "--csv", "-c", "FROM curated_countries"];
    expect(await pipeline(asked, added)).toEqual({
      code: 0,
      stdout: "filename,execution_date\r\n2020-01-01,2020-05-29T000000\r\n",
      stderr: "",
    });
  });

  it("leave out a file that does not open, with a warning", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    execFileSync("mkfifo", [path.join(settings.zones.raw, "vouchers/pipe.csv")]);
    const { stdout, stderr } = await shell(
      environment,
      "--csv",
      "-c",
      "SELECT count(*) AS n FROM raw_vouchers",
    );
    expect(stdout).toBe("n\r\n1\r\n");
    expect(stderr).toMatch(/^warning: .*pipe\.csv is skipped: it is not a regular file\n$/);
  });

  it("leave out a partition with an invalid manifest, with a warning", async () => {
    const { environment, settings } = await makeWorkspace();
    const manifest = "vouchers/execution_date=2020-05-29T000000/_manifest.json";
    await putFile(
      settings.zones.curated,
      manifest,
      '{"version":1,"files":[{"path":"a/b.parquet","bytes":1}]}',
    );
    const { stdout, stderr } = await shell(
      environment,
      "--csv",
      "-c",
      "SELECT count(*) AS n FROM curated_vouchers",
    );
    expect(stdout).toBe("n\r\n0\r\n");
    expect(stderr).toMatch(
      /^warning: a partition is skipped: .*_manifest\.json lists a\/b\.parquet, which does not exist; /,
    );
  });
});

describe("the execution date of the shell's views", () => {
  let environment: Record<string, string>;
  let settings: Settings;
  let raw: string;
  const SHOWN = `
    SELECT DISTINCT execution_date, voucher_amount FROM curated_vouchers
    UNION SELECT execution_date, voucher_amount FROM provision_voucher_frequent_most_used ORDER BY ALL`;
  const shown = async (...args: string[]) => {
    const { code, stdout, stderr } = await shell(environment, "--csv", "-c", SHOWN, ...args);
    const [, ...rows] = stdout.trimEnd().split("\r\n");
    return { code, rows, stderr };
  };
  const publish = async (date: string, amount: string) => {
    await putVouchers(raw, [voucher({ voucher_amount: amount })]);
    await run(settings, date);
  };

  beforeAll(async () => {
    const workspace = await makeWorkspace();
    ({ environment, settings } = workspace);
    ({ raw } = settings.zones);
  });

  it("is the newest partition if nothing is published, and the shell shows that", async () => {
    await putVouchers(raw, [voucher({ voucher_amount: "1" })]);
    await run(settings, "2020-05-28", ["curate"]);
    expect(await shown()).toEqual({
      code: 0,
      rows: ["2020-05-28T000000,1"],
      stderr: "warning: no publication yet: the views show the newest partitions, of 2020-05-28T000000\n",
    });
  });

  it("is the newest publication, in all views, even if a zone has a newer one", async () => {
    await publish("2020-05-28", "28");
    await publish("2020-05-29", "29");
    await run(settings, "2020-05-30", ["curate"]);
    expect(await shown()).toEqual({ code: 0, rows: ["2020-05-29T000000,29"], stderr: "" });
  });

  it("is not a withdrawn one, and the shell shows who withdrew it", async () => {
    await pipeline(["withdraw", "-e", "2020-05-29", "--why", "it's\nbad"], environment);
    expect(await shown()).toEqual({
      code: 0,
      rows: ["2020-05-28T000000,28"],
      stderr: expect.stringMatching(
        /^warning: 2020-05-29T000000 is withdrawn, by .*: it's\\nbad; the views do not show it\n$/,
      ),
    });
    const { stdout } = await shell(
      environment,
      "--csv",
      "-c",
      "SELECT execution_date, is_shown, state, why FROM execution_dates",
    );
    expect(stdout.split("\r\n").slice(1, -1)).toEqual([
      "2020-05-28T000000,true,published,",
      `2020-05-29T000000,false,withdrawn,"it's\nbad"`,
      "2020-05-30T000000,false,not published,",
    ]);
  });

  it("is the one from -e, or from the variable, or any of all", async () => {
    const named = await shown("-e", "2020-05-29");
    expect(named).toMatchObject({ code: 0, rows: ["2020-05-29T000000,29"] });
    expect(named.stderr).toMatch(/^warning: 2020-05-29T000000 is withdrawn, by /);
    const dates = ["'2020-05-29T000000'", "'2020-05-29'", "DATE '2020-05-29'", "'2020-05-29T00:00:00Z'"];
    const sql = dates.map(
      (date) =>
        `SET VARIABLE execution_date = ${date}; ${SHOWN}; SELECT count(*) AS n FROM curated_vouchers_all`,
    );
    const { stdout } = await shell(environment, "--json", "-c", sql.join(";"));
    expect(stdout).toBe(
      dates.map(() => '[{"execution_date":"2020-05-29T000000","voucher_amount":29}]\n[{"n":3}]\n').join(""),
    );
  });

  it("is none if every partition is withdrawn, and a view explains how to choose one", async () => {
    await pipeline(["withdraw", "-e", "2020-05-28", "--why", "bad"], environment);
    const { curated } = settings.zones;
    for (const table of ["vouchers", "vouchers_rejected"]) {
      await rm(path.join(curated, table, "execution_date=2020-05-30T000000"), { recursive: true });
    }
    const { code, stderr } = await shown();
    expect(code).toBe(2);
    expect(stderr).toContain("INVALID_USAGE: Invalid Input Error: no execution date is chosen for the view");
  });

  it("is required if the database is not readable", async () => {
    const away = { ...environment, CONSUMPTION_URL: "mysql://app:secret@127.0.0.1:1/nothing" };
    const { code, stderr } = await shell(away, "-c", SHOWN);
    expect(code).toBe(4);
    expect(stderr).toMatch(/CONSUMPTION_UNAVAILABLE: .*choose a date: npx pipeline shell -e 2020-05-29\n$/);
    expect(await shell(away, "-e", "2020-05-29", "--csv", "-c", SHOWN)).toMatchObject({
      code: 0,
      stdout: "execution_date,voucher_amount\r\n2020-05-29T000000,29\r\n",
      stderr: expect.stringMatching(/^warning: the published dates are unknown: /),
    });
  });
});

describe("the names of raw files in the shell", () => {
  const NAMES = [
    "a\nb.csv",
    'it\'s "q" %41?x=1#.csv',
    "🎟️ ünï.csv",
    `${"x".repeat(251)}.csv`,
    "\u001b[31mred.csv",
    "$$; .csv",
  ];

  it("are texts, whatever their characters are", async () => {
    const { environment, settings } = await makeWorkspace();
    for (const name of NAMES) {
      await putFile(settings.zones.raw, `vouchers/${name}`, "country_code,total_orders\nPeru,1\n");
    }
    const { stdout } = await shell(environment, "--json", "-c", "SELECT source_file FROM raw_vouchers");
    const found = (JSON.parse(stdout) as { source_file: string }[]).map(({ source_file }) => source_file);
    expect(found.sort()).toEqual(NAMES.map((name) => `vouchers/${name}`).sort());
  });

  it("do not control the terminal in a warning or an error", async () => {
    const { environment, settings } = await makeWorkspace();
    await putFile(settings.zones.raw, "vouchers/\u001b[31mred.parquet", "this is no Parquet file");
    await symlink("/no/such/file", path.join(settings.zones.raw, "vouchers/\u001b[31mgone.csv"));
    const { code, stderr } = await shell(environment, "-c", "FROM raw_vouchers");
    expect(code).toBe(2);
    expect(stderr).toContain("\\u001b[31mred.parquet");
    expect(stderr).toContain("\\u001b[31mgone.csv is skipped");
    expect(stderr).not.toContain("\u001b");
  });
});

describe("the shell prints", () => {
  let environment: Record<string, string>;
  let settings: Settings;
  beforeAll(async () => {
    ({ environment, settings } = await makeWorkspace());
  });
  const ofOne = (format: ResultFormat, sql: string) => printedBy(settings, format, sql);
  const printed = async (...args: string[]) => {
    const { code, stdout, stderr } = await shell(environment, ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    return stdout;
  };

  it("a table for people, with names even if there are no rows, and NULL", async () => {
    expect(
      await ofOne("table", "SELECT * FROM (VALUES (7, 'a', NULL), (NULL, 'b\n', 1.10)) AS t(n, text, d)"),
    ).toBe("   n  text  d\n   7  a     NULL\nNULL  b\\n   1.10\n");
    expect(await ofOne("table", "FROM provision_voucher_frequent_most_used")).toBe(
      "country_code  frequent_segment  voucher_amount  assignments  segment_assignments  execution_date\n",
    );
  });

  it("the result of every statement that returns one", async () => {
    const sql =
      "CREATE TABLE t AS SELECT 1 AS a; INSERT INTO t VALUES (2); SET VARIABLE v = 3; FROM t; SELECT getvariable('v') AS v;";
    expect(await printed("-c", sql)).toBe("a\n1\n2\n\nv\n3\n");
    expect(await printed("--json", "-c", sql)).toBe('[{"a":1},\n{"a":2}]\n[{"v":3}]\n');
  });

  it("values exactly", async () => {
    const sql = `
      SELECT 9007199254740993 AS beyond, 9007199254740991::BIGINT AS within, 123456789012345678.90::DECIMAL(20, 2) AS decimal,
        TIMESTAMP '2020-05-29 01:02:03.456789' AS moment, TIMESTAMPTZ '2020-05-29 01:02:03+02' AS zoned,
        [1::BIGINT, NULL] AS list, {'a': 0.5} AS struct, 'nan'::DOUBLE AS nan, true AS yes, NULL AS nothing,
        INTERVAL 3 DAYS AS days, 1 AS "2", 2 AS "1", 3 AS yes`;
    expect(await ofOne("json", sql)).toBe(
      '[{"beyond":"9007199254740993","within":9007199254740991,"decimal":"123456789012345678.90",' +
        '"moment":"2020-05-29 01:02:03.456789","zoned":"2020-05-28 23:02:03+00",' +
        '"list":[1,null],"struct":{"a":"0.5"},"nan":"NaN","yes":true,"nothing":null,' +
        '"days":"3 days","2":1,"1":2,"yes:1":3}]\n',
    );
  });

  it("an empty result as JSON and as CSV", async () => {
    expect(await ofOne("json", "SELECT 1 AS a WHERE false")).toBe("[]\n");
    expect(await ofOne("csv", "SELECT 1 AS a WHERE false")).toBe("a\r\n");
  });

  it("CSV as in RFC 4180", async () => {
    const sql = `SELECT 'a "quote", a comma' AS "a,b", E'two\\nlines' AS c, '' AS empty, NULL AS nothing, ['x'] AS list`;
    expect(await ofOne("csv", sql)).toBe(
      '"a,b",c,empty,nothing,list\r\n"a ""quote"", a comma","two\nlines","",,"[""x""]"\r\n',
    );
  });

  it("a plan with its boxes", async () => {
    expect(await ofOne("table", "EXPLAIN SELECT 42")).toMatch(/^┌─+┐\n│ +PROJECTION +│\n/);
  });

  it("all of many rows, or a table of the first ones with a warning", async () => {
    const csv = await printed("--csv", "-c", "SELECT range AS n FROM range(300000)");
    expect(csv.split("\r\n").slice(-2)).toEqual(["299999", ""]);
    const { stdout, stderr } = await shell(environment, "-c", "SELECT range AS n FROM range(10001)");
    expect(stdout.trim().split("\n")).toHaveLength(10_001);
    expect(stderr).toBe("warning: only the first 10000 rows are shown; --csv and --json give all of them\n");
  });

  it("nothing for an empty text", async () => {
    expect(await printed("-c", " ; -- nothing")).toBe("");
  });

  it("the results of statements from standard input", async () => {
    const statements = "SELECT 1 AS a;\n-- more\nSELECT 2 AS b\n";
    const piped = await pipelineInNewProcess(["shell", "--csv"], environment, statements);
    expect(piped).toEqual({
      code: 0,
      stdout: "a\r\n1\r\n\r\nb\r\n2\r\n".replace("\r\n\r\n", "\r\n\n"),
      stderr: "",
    });
  });

  it("to a reader that leaves, without a fault", () => {
    const command = `"${process.execPath}" "${MAIN}" shell --csv -c "FROM range(100000000)"; echo $? >&2`;
    const { stdout, stderr } = spawnSync("sh", ["-c", `{ ${command}; } | head -n 2`], {
      env: { PATH: process.env["PATH"], ...environment },
      encoding: "utf8",
    });
    expect({ stdout, stderr }).toEqual({ stdout: "range\r\n0\r\n", stderr: "0\n" });
  });
});

describe("the shell refuses", () => {
  let lake: Workspace;
  beforeAll(async () => {
    lake = await makeWorkspace();
    await putVouchers(lake.settings.zones.raw, times(2, voucher()));
    await run(lake.settings, "2020-05-29", ["curate"]);
  });
  const filled = (statement: string) =>
    statement
      .replaceAll("<curated>", lake.settings.zones.curated)
      .replaceAll("<partition>", "vouchers/execution_date=2020-05-29T000000/data.parquet")
      .replaceAll("<folder>", lake.folder);
  /** Not SQLite's own files beside the database: they go when a connection of this process is collected. */
  const files = async () => {
    const { curated, provision, raw } = lake.settings.zones;
    const beside = (await readdir(lake.folder)).filter((name) => !name.startsWith("consumption.db-"));
    return [beside.sort(), ...(await Promise.all([curated, provision, raw].map(fingerprint)))];
  };

  it.each<[string, string]>([
    ["COPY to a zone", "COPY (SELECT 1) TO '<curated>/vouchers/x.parquet'"],
    ["COPY over a partition", "COPY (SELECT 1) TO '<curated>/<partition>' (USE_TMP_FILE false)"],
    [
      "COPY over a partition that is explained",
      "EXPLAIN ANALYZE COPY (SELECT 1) TO '<curated>/<partition>' (USE_TMP_FILE false)",
    ],
    ["COPY that is prepared", "PREPARE p AS COPY (SELECT 1) TO '<curated>/<partition>'; EXECUTE p"],
    ["COPY elsewhere", "COPY (SELECT 1) TO '<folder>/x.csv'"],
    ["an export", "EXPORT DATABASE '<curated>/export'"],
    ["a database file", "ATTACH '<curated>/x.db' AS x"],
    ["a log in a zone", "CALL enable_logging(storage = 'file', storage_path = '<curated>/log'); SELECT 1"],
    [
      "a log in a zone that a query begins",
      "FROM enable_logging(storage = 'file', storage_path = '<curated>/log'); SELECT 1",
    ],
    ["a secret that stays", "CREATE PERSISTENT SECRET s (TYPE http)"],
    ["an extension", "INSTALL httpfs"],
    ["an extension that is there", "LOAD httpfs"],
    ["another option", "SET enable_external_access = true"],
    ["other files", "FROM read_csv('/etc/passwd')"],
    ["what is no SQL", "SELEC 1"],
    ["a column that is not there", "SELECT nothing FROM curated_vouchers"],
    ["a statement that fails at the end", "SELECT range, error('no') FROM range(3)"],
  ])("%s, and leaves everything as it was", async (_what, statement) => {
    const before = await files();
    let printed = "";
    const refused = printedBy(lake.settings, "csv", filled(statement), (text) => (printed += text));
    await expect(refused).rejects.toMatchObject({ code: "INVALID_USAGE" });
    expect(printed).toBe("");
    expect(await files()).toEqual(before);
  });

  it.each<[string, string[]]>([
    ["COPY over a partition", ["-c", "COPY (SELECT 1) TO '<curated>/<partition>' (USE_TMP_FILE false)"]],
    ["a statement that fails at the end", ["-c", "SELECT range, error('no') FROM range(3)"]],
    ["two formats", ["--json"]],
  ])("%s, with exit code 2 and one message, and leaves everything as it was", async (_what, args) => {
    const before = await files();
    const { code, stdout, stderr } = await shell(lake.environment, "--csv", ...args.map(filled));
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/INVALID_USAGE/);
    expect(stderr).not.toMatch(/\n\s+at |this is a bug/);
    expect(await files()).toEqual(before);
  });

  it("and explains that as JSON for machines", async () => {
    const { stderr } = await shell(lake.environment, "--json", "-c", "ATTACH ':memory:' AS m");
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "INVALID_USAGE",
        message:
          "this session is read-only, and ATTACH may write: it was not run. You can create tables and views in memory",
        exit_code: 2,
      },
    });
  });
});

(process.platform === "linux" ? describe : describe.skip)("the shell on a terminal", () => {
  it("has its own prompt", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(2, voucher()));
    const { shown, status } = await shellOnTerminal(environment, "--read-only", [
      ["shell> ", "SELECT count(*) AS counted\r"],
      ["...> ", "FROM raw_vouchers; -- over two lines\r"],
      ["counted\r\n      2\r\n", "SELECT nothing;\r"],
      ["^", "SELECT given up"],
      ["given up", "\u0003"],
      ["shell> ", ".help\r"],
      ["Ctrl-C cancels", ".tables\r"],
      ["recency_most_used_all", ".wrong\r"],
      ["unknown command", `COPY (SELECT 1) TO '${settings.zones.curated}/x.csv';\r`],
      ["writes no files.", "CREATE TABLE mine AS SELECT 'kept' AS mine; FROM mine;\r"],
      ["mine\r\nkept", "SELECT count(*) FROM range(1000000000000) AS t(i) WHERE sqrt(i) = 0.5; -- long\r"],
      ["-- long", "\u0003"],
      ["cancelled", "\u0004"],
    ]);
    expect(status).toBe(0);
    expect(shown).toMatch(/raw_vouchers +1 file\n/);
    expect(shown).toContain("counted\n      2\n");
    expect(shown).toContain('error INVALID_USAGE: Binder Error: Referenced column "nothing" was not found');
    expect(shown).toContain("End each statement with ;");
    expect(shown).toContain("provision_voucher_recency_most_used_all\n");
    expect(shown).toContain("unknown command .wrong");
    expect(shown).toContain("The shell reads only the files of its views, and writes no files.");
    expect(shown).toContain("mine\nkept\n");
    expect(await fingerprint(settings.zones.curated)).toEqual({});
  });

  it("gives the terminal to the duckdb command, with the views and the zones", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const { shown, status } = await shellOnTerminal(
      { ...environment, PATH: `${await folderWithDuckDb("v1.5.5")}:${process.env["PATH"] ?? ""}` },
      "--json",
      [],
    );
    expect(shown).toMatch(/arguments: -init \S+\/init\.sql -json\n/);
    expect(shown).toContain("CREATE OR REPLACE VIEW raw_vouchers AS");
    expect(shown).toContain("SET enable_external_access = FALSE;");
    expect(shown).toContain(`['${settings.zones.raw}/vouchers/part.parquet']`);
    expect(shown).not.toContain("httpfs");
    expect(status).toBe(0);
  });

  it("does not use a duckdb command that is too old", async () => {
    const { environment } = await makeWorkspace();
    const { shown } = await shellOnTerminal(
      { ...environment, PATH: `${await folderWithDuckDb("v1.2.0")}:${process.env["PATH"] ?? ""}` },
      "",
      [
        ["shell> ", "SELECT 42 AS answer;\r"],
        ["shell> ", ".exit\r"],
      ],
    );
    expect(shown).toContain("warning: duckdb 1.2.0 is not used; version 1.5 or newer is required\n");
    expect(shown).toContain("answer\n    42\n");
  });
});

/** What a session in this process prints. Only what a terminal or a scheduler sees needs a process. */
async function printedBy(
  settings: Settings,
  format: ResultFormat,
  sql: string,
  told: (text: string) => void = () => undefined,
): Promise<string> {
  let printed = "";
  const write = (text: string) => {
    printed += text;
    told(text);
    return Promise.resolve(true);
  };
  const { signal } = new AbortController();
  const fail = (message: string) => {
    throw new Error(message);
  };
  await withShell({ settings, executionDate: undefined, signal, warn: fail }, async (session) => {
    for await (const result of session.run(sql, signal)) await printResult(result, format, write, fail);
  });
  return printed;
}

function shell(environment: Record<string, string>, ...args: string[]) {
  return pipeline(["shell", ...args], environment);
}
