import { execFileSync } from "node:child_process";
import { readFile, symlink } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { MAIN } from "../../cli/command.js";
import { askDuckDb, runDuckDb, TEST_DUCKDB_CLI } from "../../cli/duckdb-command.js";
import { describeViews } from "../../cli/shell-views.js";
import { shellOnTerminal } from "../../cli/terminal.js";
import { putVouchers, times, voucher } from "../../raw-vouchers.js";
import { putFile } from "../../storage.js";
import { fingerprint, makeFolder, makeWorkspace, PROJECT } from "../../workspace.js";

const ask = (sql: string, environment: Record<string, string>) =>
  askDuckDb("dist/sql/shell.sql", sql, environment);

describe("duckdb -init dist/sql/shell.sql", () => {
  describeViews("local+sqlite", ask);

  it("does not need the extension for S3", async () => {
    const { environment } = await makeWorkspace();
    expect(
      await ask("SELECT loaded FROM duckdb_extensions() WHERE extension_name = 'httpfs'", environment),
    ).toEqual([{ loaded: false }]);
  });

  it("finds the zones in every spelling of their addresses", async () => {
    const { environment, folder, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const raw = `${path.relative(PROJECT, folder)}//./raw//`;
    expect(await ask("SELECT source_file FROM raw_vouchers", { ...environment, RAW_ZONE: raw })).toEqual([
      { source_file: "vouchers/part.parquet" },
    ]);
  });

  it("finds the zones in their default folders", async () => {
    expect(await ask("SELECT count(*) AS rows FROM raw_vouchers", {})).toEqual([{ rows: 20_000 }]);
  });

  it("opens only the files of the requested execution dates", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(2, voucher()));
    for (const date of ["2020-05-29", "2020-06-01", "2020-06-02"]) {
      execFileSync(process.execPath, [MAIN, "curate", "-e", date], {
        env: { ...process.env, ...environment },
      });
    }
    const planOf = async (query: string) =>
      (
        await runDuckDb(
          [
            ...["-init", "dist/sql/shell.sql", "-c", "SET VARIABLE execution_date = '2020-06-01'"],
            ...["-c", `EXPLAIN ANALYZE ${query}`],
          ],
          environment,
        )
      ).stdout;
    expect(await planOf("FROM curated_vouchers")).toContain("1/3");
    expect(await planOf("FROM curated_vouchers_all WHERE execution_date >= '2020-06-01'")).toContain("2/3");
  });

  it("requires an execution date, because it cannot know the one that readers see", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    execFileSync(process.execPath, [MAIN, "-e", "2020-05-29"], { env: { ...process.env, ...environment } });
    const asked = await runDuckDb(
      ["-init", "dist/sql/shell.sql", "-c", "FROM curated_vouchers"],
      environment,
    );
    expect(asked.stderr).toContain("no execution date is chosen for the view. Choose one with: SET VARIABLE");
    expect(await ask("SELECT execution_date, is_shown, state FROM execution_dates", environment)).toEqual([
      { execution_date: "2020-05-29T000000", is_shown: false, state: "unknown" },
    ]);
    expect(await ask("SELECT count(*) AS rows FROM curated_vouchers_all", environment)).toEqual([
      { rows: 1 },
    ]);
  });

  it.each([
    "{",
    "{}",
    '{"version":1,"files":[{"path":"a/b.parquet","bytes":1}]}',
    '{"version":1,"files":[{"path":"../../../x.parquet","bytes":1}]}',
    '{"version":1,"files":[{"path":"/etc/x.parquet","bytes":1}]}',
  ])("fails only the views that need an invalid manifest: %s", async (text) => {
    const { environment, settings } = await makeWorkspace();
    await putFile(settings.zones.curated, "vouchers/execution_date=2020-06-01T000000/_manifest.json", text);
    await expect(ask("FROM curated_vouchers", environment)).rejects.toThrow(/_manifest\.json|a\/b\.parquet/);
    expect(await ask("SELECT count(*) AS rows FROM curated_vouchers_rejected", environment)).toEqual([
      { rows: 0 },
    ]);
  });

  it("can be read again, to see new partitions", async () => {
    const { environment, settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const { stdout } = await runDuckDb(
      [
        ...["-init", "dist/sql/shell.sql", "-csv"],
        ...["-c", `COPY (FROM raw_vouchers) TO '${settings.zones.raw}/vouchers/more.parquet'`],
        ...["-c", "SELECT count(*) AS n FROM raw_vouchers"],
        ...["-c", ".read dist/sql/shell.sql"],
        ...["-c", "SELECT count(*) AS n FROM raw_vouchers"],
      ],
      environment,
    );
    expect(stdout).toBe("n\n1\nn\n2\n");
  });
});

(process.platform === "linux" ? describe : describe.skip)("the shell on a terminal", () => {
  it("is the duckdb command, with the views in place", async () => {
    const { environment, settings, folder } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const bin = await makeFolder();
    await symlink(TEST_DUCKDB_CLI ?? "", path.join(bin, "duckdb"));
    const before = await fingerprint(folder);
    const { shown, status } = await shellOnTerminal(
      { ...environment, TERM: "dumb", PATH: `${bin}:${process.env["PATH"] ?? ""}`, TMPDIR: bin },
      "--csv",
      [
        // It asks the terminal for the colour behind its text.
        ["\u001b[c", "\u001b]11;rgb:0000/0000/0000\u0007\u001b[?62c"],
        ["D ", "SELECT count(*) AS counted FROM raw_vouchers;\r"],
        ["counted", "SELECT nothing;\r"],
        ["D ", `COPY (SELECT 1) TO '${settings.zones.raw}/x.parquet';\r`],
        ["D ", "ATTACH 'x.db';\r"],
        ["D ", `.once ${bin}/rows.csv\r`],
        ["D ", "SELECT source_file FROM raw_vouchers LIMIT 1;\r"],
        ["D ", ".exit\r"],
      ],
    );
    expect(shown).toContain("counted\n3\n");
    // What is typed ahead can stand between the two lines of an error.
    expect(shown.match(/Cannot access file "/g)).toHaveLength(2);
    expect(status).toBe(0);
    expect(await readFile(path.join(bin, "rows.csv"), "utf8")).toBe("source_file\nvouchers/part.parquet\n");
    expect(Object.keys(await fingerprint(bin))).toEqual(["duckdb", "rows.csv"]);
    expect(await fingerprint(folder)).toEqual(before);
  });
});
