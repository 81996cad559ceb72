import { spawnSync } from "node:child_process";
import { mkdir, readdir, readFile, stat, utimes } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { readConsumption, readTable } from "../consumption/reading.js";
import { query } from "../duckdb.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { fingerprint, makeFolder, makeWorkspace, PROJECT } from "../workspace.js";
import { pipeline, start } from "./command.js";
import { largeRawZone } from "./large-zone.js";
import { pipeline as warmPipeline } from "./warm-command.js";

async function goodWorkspace() {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, [...times(3, voucher()), voucher({ total_orders: "" })]);
  return workspace;
}

describe("pipeline", () => {
  it("runs one execution date and ends with a summary for people", async () => {
    const { environment } = await goodWorkspace();
    const { code, stdout, stderr } = await pipeline(["--execution-date", "2020-05-29T00:00:00"], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout.split("\n")).toEqual([
      "The voucher answers for 29 May 2020 are published.",
      "3 of 4 rows are used; 1 (25%) was rejected because a value is missing or invalid, most often for total orders missing, and none came after that date.",
      "2 answers. There is no earlier publication to compare. The answers with the most vouchers:",
      "  Peru · frequent 5-13: 2640, likely (84.4%), on 3 vouchers",
      "  Peru · recency 30-60: 2640, likely (84.4%), on 3 vouchers",
      "2 answers: 0 are sure, 2 likely and 0 toss-ups.",
      expect.stringMatching(/^All \d+ checks passed\. There is nothing to do\.$/),
      expect.stringMatching(/^It took \d+\.\d s\. Report: .+\.html$/),
      "",
    ]);
  });

  it("prints the full record of a run with --verbose", async () => {
    const { environment } = await goodWorkspace();
    const { code, stdout } = await pipeline(["-e", "2020-05-29", "--verbose"], environment);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\n {2}read +4 +100%\n/);
    expect(stdout).toMatch(/\n {2}total_orders_missing +1 +25% /);
    expect(stdout).toMatch(/\n {2}provision\.voucher_frequent_most_used +1 /);
    expect(stdout).toMatch(/\nAnswers rejected rows could change\n {2}segment_kind +answers +could_change/);
  });

  it("prints the report as JSON for machines, and nothing else", async () => {
    const { environment, settings } = await goodWorkspace();
    const { code, stdout, stderr } = await pipeline(["-e", "2020-05-29", "--json"], environment);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const report = JSON.parse(stdout) as { run_id: string };
    expect(report).toMatchObject({
      execution_date: "2020-05-29T00:00:00Z",
      measures: {
        "measures.row_accounting": [{ rows_read: "4", rejected: "1", out_of_scope: "0", curated: "3" }],
      },
    });
    expect(await readTable(settings, "SELECT run_id FROM publications")).toEqual([{ run_id: report.run_id }]);
  });

  it("runs its stages one by one", async () => {
    const { environment, settings } = await goodWorkspace();
    for (const stage of ["curate", "aggregate", "publish"]) {
      expect(await pipeline([stage, "-e", "2020-05-29"], environment)).toMatchObject({ code: 0, stderr: "" });
    }
    expect(await readTable(settings, "SELECT stages FROM pipeline_runs ORDER BY started_at")).toEqual([
      { stages: "curate" },
      { stages: "aggregate" },
      { stages: "publish" },
    ]);
  });

  it("shows every command and an example in its help", async () => {
    const { code, stdout } = await pipeline(["--help"]);
    expect(code).toBe(0);
    for (const word of ["run", "curate", "aggregate", "publish", "sample", "-e", "Examples:"]) {
      expect(stdout).toContain(word);
    }
    expect((await pipeline(["curate", "--help"])).stdout).toContain(
      "npx pipeline curate -e 2020-05-29T00:00:00",
    );
  });

  it("prints its version", async () => {
    const { version } = JSON.parse(await readFile(path.join(PROJECT, "package.json"), "utf8")) as {
      version: string;
    };
    expect(await pipeline(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("wrong usage", () => {
  it.each<[string, string[], string]>([
    ["no execution date", [], "execution-date"],
    ["an execution date without a value", ["-e"], "-e needs a value"],
    ["an execution date that does not exist", ["-e", "2020-02-30"], '"2020-02-30" is not a valid date'],
    ["an execution date with an offset", ["-e", "2020-05-29T00:00:00+02:00"], "is not a valid date"],
    ...["run", "curate", "aggregate", "publish", "plan"].map((command): [string, string[], string] => [
      `${command} of a date in the far future`,
      [command, "-e", "2100-01-01"],
      "--allow-future",
    ]),
    [
      "a backfill up to a date in the far future",
      ["backfill", "--from", "2020-05-29", "--to", "2100-01-01"],
      "2100-01-01T00:00:00Z is more than 24 hours in the future",
    ],
    ["two execution dates", ["-e", "2020-05-29", "-e", "2020-05-30"], "--execution-date is given "],
    ["an unknown option", ["-e", "2020-05-29", "--fast"], "unknown option --fast"],
    ["an unknown command", ["transmogrify"], "unknown command transmogrify"],
    ["a sample of no rows", ["sample", "--rows", "0", "--out", "x"], "--rows"],
    ["a sample of some rows", ["sample", "--rows", "some", "--out", "x"], "--rows"],
    ["a sample in no files", ["sample", "--files", "0", "--out", "x"], "--files"],
    [
      "a sample of fewer rows than files",
      ["sample", "--rows", "10", "--files", "10", "--out", "x"],
      "1 to 9",
    ],
    ["a sample of three countries", ["sample", "--countries", "3", "--out", "x"], "--countries"],
  ])("with %s exits with 2 and one clear message", async (_fault, args, words) => {
    const { environment, folder } = await makeWorkspace();
    const { code, stdout, stderr } = await warmPipeline(args, environment);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^error [A-Z_]+: /);
    expect(stderr).toContain(words);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(await fingerprint(folder)).toEqual({});
  });
});

describe("an execution date in the far future", () => {
  it("runs if that is allowed, and can be read, shown and withdrawn like any other", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const date = ["-e", "2100-01-01"];
    for (const [args, code] of [
      [["plan", ...date, "--allow-future"], 0],
      [["backfill", "--from", "2100-01-01", "--to", "2100-01-01", "--allow-future"], 0],
      [[...date, "--allow-future"], 0],
      [["publish", ...date], 2],
      [["runs", ...date], 0],
      [["rejected", ...date], 0],
      [["diff", "2100-01-01", "2100-01-01"], 0],
      [["status"], 0],
      [["withdraw", ...date, "--why", "mistyped"], 0],
    ] as const)
      expect([args, (await warmPipeline(args, environment)).code]).toEqual([args, code]);
  });
});

describe("wrong settings", () => {
  it("are all listed at once, with exit code 2", async () => {
    const { environment, folder } = await makeWorkspace();
    const { code, stderr } = await pipeline(["-e", "2020-05-29"], {
      ...environment,
      MAX_REJECTED_SHARE: "1.5",
      DUCKDB_THREADS: "0",
      DUCKDB_MEMORY_LIMIT: "much",
      CONSUMPTION_URL: "oracle://db",
      PORT: "99999",
      SQL_VERSION: "../v1",
    });
    expect(code).toBe(2);
    for (const name of [
      "MAX_REJECTED_SHARE",
      "DUCKDB_THREADS",
      "DUCKDB_MEMORY_LIMIT",
      "CONSUMPTION_URL",
      "PORT",
      "SQL_VERSION",
    ]) {
      expect(stderr).toContain(`  ${name} `);
    }
    expect(await fingerprint(folder)).toEqual({});
  });
});

describe("data that fails a check", () => {
  it("exits with 3, with a message short enough for a scheduler's mail", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    const { code, stdout, stderr } = await pipeline(["-e", "2020-05-29"], environment);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(stderr).toMatch(/^error AUDIT_FAILED: curated\.vouchers fails the audit not_empty/);
    expect(stderr).not.toMatch(/\n\s+at /);
  });
});

describe("a fault", () => {
  it("is JSON for machines", async () => {
    const { environment } = await makeWorkspace();
    const { code, stdout, stderr } = await pipeline(["-e", "2020-05-29", "--json"], environment);
    expect({ code, stdout }).toEqual({ code: 3, stdout: "" });
    expect(JSON.parse(stderr)).toEqual({
      error: {
        code: "RAW_ZONE_EMPTY",
        message: expect.stringContaining("no raw files"),
        exit_code: 3,
        report: expect.stringMatching(/\/runs\/2020-05-29T000000-[0-9a-f]{12}\.html$/),
      },
    });
  });
});

(process.platform === "linux" ? describe : describe.skip)("on a terminal", () => {
  const onTerminal = (environment: Record<string, string>, columns = 80) => {
    // script(1) of util-linux runs a command on a terminal of its own.
    const command = `stty cols ${columns}; "${process.execPath}" "${path.join(PROJECT, "dist/cli/main.js")}" -e 2020-05-29`;
    const { stdout } = spawnSync("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      env: { PATH: process.env["PATH"], TERM: "xterm", ...environment },
      encoding: "utf8",
    });
    return stdout;
  };
  // eslint-disable-next-line no-control-regex -- colours are control sequences
  const COLOUR = /\u001b\[[0-9;]*m/;

  it("progress is shown, and is gone at the end", async () => {
    const { environment } = await goodWorkspace();
    const shown = onTerminal(environment);
    expect(COLOUR.test(shown)).toBe(true);
    expect(shown).toContain("starting");
    expect(shown).toMatch(/The voucher answers for 29 May 2020 are published\./);
  });

  it("no progress is drawn if the terminal has no width", async () => {
    const { environment } = await goodWorkspace();
    const shown = onTerminal(environment, 0);
    expect(shown).not.toContain("starting");
    expect(shown).toMatch(/^The voucher answers for 29 May 2020 are published\./);
  });

  it("NO_COLOR is honoured", async () => {
    const { environment } = await goodWorkspace();
    const shown = onTerminal({ ...environment, NO_COLOR: "1" });
    expect(shown).toContain("starting");
    expect(COLOUR.test(shown)).toBe(false);
  });
});

describe("a run that is cancelled", () => {
  let large: string;
  beforeAll(async () => {
    // Enough rows that the run is still at it when the signal comes.
    large = await largeRawZone(25);
  });

  it.each<[NodeJS.Signals, number]>([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ])("by %s exits with %d and leaves everything as it was", async (signal, code) => {
    const { environment, settings } = await goodWorkspace();
    expect(await pipeline(["-e", "2020-05-29"], environment)).toMatchObject({ code: 0 });
    const before = [
      await fingerprint(settings.zones.curated),
      await fingerprint(settings.zones.provision),
      await readConsumption(settings),
    ];

    const command = start(["-e", "2020-05-29"], { ...environment, RAW_ZONE: large, DUCKDB_THREADS: "1" });
    while (!(await isWriting(settings.zones.curated))) await sleep(20);
    command.kill(signal);

    const ended = await command.ended;
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(/^error CANCELLED: cancelled; nothing was changed\nreport: .*\.html\n$/);
    expect([
      await fingerprint(settings.zones.curated),
      await fingerprint(settings.zones.provision),
      await readConsumption(settings),
    ]).toEqual(before);
    expect(
      await readTable(settings, "SELECT outcome FROM pipeline_runs ORDER BY started_at DESC LIMIT 1"),
    ).toEqual([{ outcome: "cancelled" }]);
    expect(await fingerprint(settings.duckdb.tempDirectory)).toEqual({});
  });

  async function isWriting(zone: string) {
    return Object.keys(await fingerprint(path.join(zone, "_staging"))).some((file) =>
      file.endsWith("data.parquet"),
    );
  }
});

describe("output without a reader", () => {
  it("does not fail a run", async () => {
    const { environment, settings } = await goodWorkspace();
    const script = `"${process.execPath}" "${path.join(PROJECT, "dist/cli/main.js")}" -e 2020-05-29; echo $? >&2`;
    const { stderr } = spawnSync("sh", ["-c", `{ ${script}; } | true`], {
      env: { PATH: process.env["PATH"], ...environment },
      encoding: "utf8",
    });
    expect(stderr).toBe("0\n");
    expect(await readTable(settings, "SELECT execution_date FROM publications")).toHaveLength(1);
  });
});

describe("a killed run", () => {
  it("of a version without locks has its temporary files removed after a day", async () => {
    const { environment, settings } = await goodWorkspace();
    const dead = spawnSync("true").pid;
    const left = path.join(settings.duckdb.tempDirectory, `run-${os.hostname()}-${dead}-abc`);
    const alive = path.join(settings.duckdb.tempDirectory, `run-${os.hostname()}-${process.pid}-abc`);
    for (const folder of [left, alive]) await mkdir(folder, { recursive: true });
    const remaining = async () => {
      await pipeline(["-e", "2020-05-29"], environment);
      return new Set(await readdir(settings.duckdb.tempDirectory));
    };
    // Until then it may belong to a process of another container.
    expect(await remaining()).toEqual(new Set([left, alive].map((folder) => path.basename(folder))));
    const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1_000);
    for (const folder of [left, alive]) await utimes(folder, longAgo, longAgo);
    expect(await remaining()).toEqual(new Set([path.basename(alive)]));
  });
});

describe("the sample", () => {
  it("in the repository is the same as a generated one", async () => {
    const folder = await makeFolder();
    await pipeline(["sample", "--rows", "20000", "--out", folder]);
    expect(await fingerprint(folder)).toEqual(await fingerprint(path.join(PROJECT, "data/raw/vouchers")));
  });

  it("has the same rows in any number of files", async () => {
    const folder = await makeFolder();
    await pipeline(["sample", "--rows", "20000", "--files", "7", "--out", folder]);
    const rowsOf = (files: string) => query(`FROM read_parquet('${files}/vouchers-*.parquet')`);
    expect((await readdir(folder)).filter((name) => name.endsWith(".parquet"))).toHaveLength(7);
    expect(await rowsOf(folder)).toEqual(await rowsOf(path.join(PROJECT, "data/raw/vouchers")));
  });

  it("has any number of countries of similar size, each with three to five amounts", async () => {
    const folder = await makeFolder();
    await pipeline(["sample", "--rows", "20000", "--countries", "50", "--out", folder]);
    const countries = await query(
      "SELECT country_code, count(*)::INTEGER AS vouchers, count(DISTINCT voucher_amount)::INTEGER AS amounts " +
        `FROM read_parquet('${folder}/*.parquet') GROUP BY country_code`,
    );
    expect(countries).toHaveLength(50);
    expect(countries.map(({ country_code }) => country_code)).toEqual(
      expect.arrayContaining(["China", "Latvia", "Country 5", "Country 50"]),
    );
    for (const { vouchers, amounts } of countries) {
      expect(Math.abs(Number(vouchers) - 360)).toBeLessThan(180);
      expect([3, 4, 5]).toContain(amounts);
    }
  });

  it("is smaller than a megabyte", async () => {
    const files = Object.keys(await fingerprint(path.join(PROJECT, "data/raw/vouchers")));
    const sizes = await Promise.all(
      files.map(async (file) => (await stat(path.join(PROJECT, "data/raw/vouchers", file))).size),
    );
    expect(sizes.reduce((sum, size) => sum + size)).toBeLessThan(1_000_000);
  });
});
