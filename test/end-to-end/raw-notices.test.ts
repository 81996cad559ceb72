import { describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/warm-command.js";
import { EXECUTION_DATE } from "../run/running.js";
import { getFile, putFile } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { HEADER, LINE } from "./failing.js";

const CSV = `${HEADER}\n${LINE}\n`;
const IGNORED = ["000000_0", "D.PARQUET", "F.CSV", "a.parquet.gz", "b.parquet.snappy", "c.parq", "h.tsv"];
const NAMED = IGNORED.slice(0, 5).map((name) => `vouchers/${name}`);

async function workspaceOf(names: readonly string[]): Promise<Workspace> {
  const workspace = await makeWorkspace();
  for (const name of names) await putFile(workspace.settings.zones.raw, `vouchers/${name}`, CSV);
  return workspace;
}

describe("raw files that are ignored because of their names", () => {
  it("are counted, and five of them named, by the run, its report and every command for raw files", async () => {
    const { environment, settings } = await workspaceOf([
      ...IGNORED,
      "good.csv",
      "_SUCCESS",
      ".x.csv",
      "_t/x.txt",
    ]);
    const run = await pipeline(["-e", EXECUTION_DATE, "--json"], environment);
    const report = JSON.parse(run.stdout) as { run_id: string; warnings: string[] };
    const sentence = `7 raw files are ignored because of their names: ${NAMED.join(", ")} and 2 more; a run reads *.parquet, *.parquet.gzip, *.csv or *.csv.gz`;
    expect(run.code).toBe(0);
    expect(report).toMatchObject({
      warnings: [sentence],
      ignored_files: {
        count: 7,
        first: [
          {
            path: "vouchers/000000_0",
            remedy: expect.stringContaining("rename it to end in .csv or .parquet"),
          },
          { path: "vouchers/D.PARQUET", remedy: "rename it to D.parquet" },
          { path: "vouchers/F.CSV", remedy: "rename it to F.csv" },
          { path: "vouchers/a.parquet.gz", remedy: "rename it to a.parquet.gzip" },
          { path: "vouchers/b.parquet.snappy", remedy: "rename it to b.parquet" },
        ],
      },
      same_bytes: [],
    });
    for (const args of [
      ["-e", EXECUTION_DATE, "--verbose"],
      ["inspect"],
      ["plan", "-e", EXECUTION_DATE],
      ["status"],
    ]) {
      const { code, stdout } = await pipeline(args, environment);
      expect(code).toBe(0);
      expect(stdout).toMatch(
        /^ *raw files ignored because of their names: 7:?\n( {2}vouchers\/.*\n){5} {2}and 2 more$/im,
      );
    }
    expect((await pipeline(["doctor"], environment)).stdout).toContain(sentence);
    for (const format of ["html", "md"]) {
      const text = (await getFile(settings.runReports, `${report.run_id}.${format}`)).toString();
      expect(text.replaceAll("\\", "")).toContain(
        "7 raw files are ignored because of their names: vouchers/000000_0, ",
      );
    }
  });

  it("have a remedy in the message if there is no other file", async () => {
    const { environment } = await workspaceOf(["x.TSV", "y.CSV"]);
    expect(await pipeline(["-e", EXECUTION_DATE], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /RAW_ZONE_EMPTY: .*which are ignored: 2 files\n {2}vouchers\/x\.TSV: write it as CSV with commas, in a file \*\.csv\n {2}vouchers\/y\.CSV: rename it to y\.csv\n/,
      ),
    });
  });
});

describe("raw files with the same bytes", () => {
  it("all count, with a warning that names them, by the run, its report, inspect and status", async () => {
    const { environment, settings } = await workspaceOf(["a.csv", "deep/b.csv"]);
    await putFile(settings.zones.raw, "vouchers/c.csv", CSV.replace("2640", "2641"));
    await putFile(settings.zones.raw, "vouchers/twice.csv", CSV.replace(LINE, `${LINE}\n${LINE}`));
    const run = await pipeline(["-e", EXECUTION_DATE, "--json"], environment);
    const report = JSON.parse(run.stdout) as { run_id: string };
    const warning =
      "raw files are identical copies, and the rows of each copy count: vouchers/a.csv and vouchers/deep/b.csv; remove the copies";
    expect(run.code).toBe(0);
    expect(report).toMatchObject({
      warnings: [warning],
      same_bytes: [{ paths: ["vouchers/a.csv", "vouchers/deep/b.csv"] }],
      measures: { "measures.row_accounting": [{ rows_read: "5", curated: "5" }] },
    });
    const told =
      /^ *raw files that are identical copies; .*\n {2}vouchers\/a\.csv and vouchers\/deep\/b\.csv$/im;
    for (const args of [["-e", EXECUTION_DATE, "--verbose"], ["inspect"], ["status"]])
      expect(await pipeline(args, environment)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(told),
      });
    const markdown = await getFile(settings.runReports, `${report.run_id}.md`);
    expect(markdown.toString()).toContain("vouchers/a.csv and vouchers/deep/b.csv");
  });
});
