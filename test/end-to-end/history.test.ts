import { cp, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { readHistory } from "../../src/introspect/history.js";
import type { ReplayReport } from "../../src/introspect/replay.js";
import type { PastRun } from "../../src/record/past-run.js";
import type { Settings } from "../../src/settings/settings.js";
import { start } from "../cli/command.js";
import { pipeline } from "../cli/warm-command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";
import { getFile, hashesOf, putFile, removeFile } from "../storage.js";
import { until } from "../until.js";
import { makeWorkspace, SHIPPED_SQL } from "../workspace.js";
import { goodWorkspace, HEADER, LINE, visible } from "./failing.js";

function latest({ settings }: { settings: Settings }, limit = 10): Promise<PastRun[]> {
  return readHistory(settings, { limit });
}

describe("the history of runs", () => {
  it("is empty before the first one", async () => {
    const { environment } = await makeWorkspace();
    expect(await pipeline(["runs"], environment)).toMatchObject({
      code: 0,
      stdout: "no runs yet\n",
    });
  });

  it("has the time, the author, the inputs and outputs with hashes, the counts and the audits of a run", async () => {
    const workspace = await runOver([voucher(), voucher({ voucher_amount: null })]);
    const [found] = await latest(workspace);
    expect(found).toMatchObject({
      run_id: workspace.report.run_id,
      outcome: "succeeded",
      started_by: expect.stringMatching(/^.+@.+ process \d+$/),
      started_at: expect.stringMatching(/^\d{4}-.*Z$/),
      error_code: null,
    });
    expect(found?.report).toEqual(workspace.report);
    expect(workspace.report.rendered_sql_hash).toMatch(/^[0-9a-f]{64}$/);
    const [input] = workspace.report.inputs;
    // The ETag of S3 is made of the content; of a file in a folder, the hash is taken.
    expect(input?.sha256 ?? input?.version).toMatch(/^[0-9a-f]{32,64}$/);
    const { stdout } = await pipeline(["runs", workspace.report.run_id], workspace.environment);
    for (const { sha256 } of workspace.report.tables) expect(stdout).toContain(sha256);
    expect(stdout).toContain("Rejected rows by reason");
  });

  it("has the reason and the inputs of a failed run", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    await expect(run(workspace.settings)).rejects.toMatchObject({ code: "AUDIT_FAILED" });
    const [failed] = await latest(workspace);
    expect(failed).toMatchObject({
      outcome: "failed",
      error_code: "AUDIT_FAILED",
      error_message: expect.stringContaining("not_empty"),
      report: { inputs: [{ path: "vouchers/part.parquet" }] },
    });
    expect((await pipeline(["runs", "--limit", "1"], workspace.environment)).stdout).toMatch(
      /failed.*AUDIT_FAILED/,
    );
  });

  it("tells a current run from a killed one, with the inputs of the latter", async () => {
    const workspace = await goodWorkspace();
    const stopped = start(["-e", EXECUTION_DATE], {
      ...workspace.environment,
      TEST_FAILPOINT: "curated.vouchers: built",
    });
    await stopped.stoodAt("curated.vouchers: built");
    expect(await latest(workspace, 1)).toMatchObject([{ outcome: "running" }]);
    stopped.kill("SIGKILL");
    await stopped.ended;
    await until(async () => (await latest(workspace, 1))[0]?.outcome === "killed", 5);
    const [killed] = await latest(workspace, 1);
    expect(killed?.report?.inputs).toMatchObject([{ path: "vouchers/part.parquet" }]);
    expect(killed?.report?.rendered_sql_hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has a filter for one execution date, and JSON", async () => {
    const { settings, environment } = await goodWorkspace();
    await run(settings, "2020-05-30");
    const { stdout } = await pipeline(["runs", "-e", "2020-05-30", "--json"], environment);
    expect(JSON.parse(stdout)).toMatchObject([{ execution_date: "2020-05-30T000000" }]);
    expect(await pipeline(["runs", "no-such-run"], environment)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("run no-such-run does not exist"),
    });
  });
});

describe("a replay", () => {
  async function replay(runId: string, environment: Record<string, string>, ...options: string[]) {
    const { code, stdout, stderr } = await pipeline(["replay", runId, "--json", ...options], environment);
    if (stdout === "") throw new Error(stderr);
    return { code, stderr, report: JSON.parse(stdout) as ReplayReport };
  }

  it("gives the same bytes, and changes nothing", async () => {
    const workspace = await runOver([...times(3, voucher()), voucher({ voucher_amount: null })]);
    const before = await visible(workspace);
    const { code, report } = await replay(workspace.report.run_id, workspace.environment);
    expect({ code, report }).toMatchObject({ code: 0, report: { is_same: true, moved: [] } });
    expect(report.tables.map(({ now }) => now)).toEqual(workspace.report.tables.map(({ sha256 }) => sha256));
    expect(await visible(workspace)).toEqual(before);
    expect(await latest(workspace)).toHaveLength(1);
  });

  it("ignores new raw files", async () => {
    const { settings, environment, report } = await runOver(times(3, voucher()));
    await putFile(`${settings.zones.raw}/vouchers`, "new.csv", `${HEADER}\n${LINE}\n`);
    expect(await replay(report.run_id, environment)).toMatchObject({ code: 0, report: { moved: [] } });
  });

  it("ignores a raw file that was written again with the same bytes", async () => {
    const { settings, environment, report } = await runOver(times(3, voucher()));
    const file = "vouchers/part.parquet";
    await putFile(settings.zones.raw, file, await getFile(settings.zones.raw, file));
    expect(await replay(report.run_id, environment)).toMatchObject({ code: 0, report: { moved: [] } });
  });

  it("names the raw file that has changed", async () => {
    const { settings, environment, report } = await runOver(times(3, voucher()));
    await putVouchers(settings.zones.raw, times(4, voucher()));
    expect(await replay(report.run_id, environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("REPLAY_DIFFERS"),
      report: { is_same: false, moved: [{ what: "input", name: "vouchers/part.parquet" }] },
    });
  });

  it("names the raw file that is gone", async () => {
    const { settings, environment, report } = await runOver(times(3, voucher()));
    await putFile(`${settings.zones.raw}/vouchers`, "new.csv", `${HEADER}\n${LINE}\n`);
    await removeFile(settings.zones.raw, "vouchers/part.parquet");
    expect(await pipeline(["replay", report.run_id], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(
        /RUN_NOT_REPLAYABLE: its raw files no longer exist: vouchers\/part\.parquet/,
      ),
    });
  });

  it("uses the SQL of the run, and shows the result of today's SQL on request", async () => {
    const { folder, environment, report } = await runOver([voucher({ total_orders: "4" })]);
    const sqlDirectory = path.join(folder, "sql");
    await cp(SHIPPED_SQL, sqlDirectory, { recursive: true });
    const segments = path.join(sqlDirectory, "v1/segments.json");
    await writeFile(segments, (await readFile(segments, "utf8")).replaceAll('"0-4"', '"few"'));
    const changed = { ...environment, SQL_DIRECTORY: sqlDirectory };
    expect(await replay(report.run_id, changed)).toMatchObject({ code: 0, report: { moved: [] } });
    expect(await replay(report.run_id, changed, "--current-sql")).toMatchObject({
      code: 3,
      report: { is_same: false, moved: [{ what: "sql", name: "v1", then: report.sql_hash }] },
    });
  });

  it("of a single stage reads the existing partitions, and names a changed one", async () => {
    const { settings, environment } = await runOver(times(3, voucher()));
    const { run_id, at_rest } = await run(settings, EXECUTION_DATE, ["aggregate"]);
    expect(at_rest.map(({ model }) => model)).toEqual(["curated.vouchers", "curated.vouchers_rejected"]);
    expect(await replay(run_id, environment)).toMatchObject({ code: 0, report: { is_same: true } });
    await putVouchers(settings.zones.raw, times(2, voucher()));
    await run(settings, EXECUTION_DATE, ["curate"]);
    expect(await replay(run_id, environment)).toMatchObject({
      code: 3,
      report: { moved: [{ what: "input", name: "curated.vouchers" }] },
    });
  });

  it("is refused for a run that wrote nothing", async () => {
    const { settings, environment } = await runOver(times(3, voucher()));
    const { run_id } = await run(settings, EXECUTION_DATE, ["publish"]);
    expect(await pipeline(["replay", run_id], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("RUN_NOT_REPLAYABLE"),
    });
  });
});

describe("raw files that change while a run reads them", () => {
  it.each([
    ["is replaced", (raw: string) => putVouchers(raw, times(5, voucher({ voucher_amount: "1" })))],
    ["is removed", (raw: string) => removeFile(raw, "vouchers/part.parquet")],
    ["is broken", (raw: string) => putFile(raw, "vouchers/part.parquet", "broken")],
  ])("end the run if one %s, with the advice to run it again", async (_what, change) => {
    const workspace = await goodWorkspace();
    const { settings, environment } = workspace;
    await putVouchers(settings.zones.raw, times(4, voucher({ voucher_amount: "2" })));
    const stopped = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: "raw files inspected" });
    await stopped.stoodAt("raw files inspected");
    await change(settings.zones.raw);
    stopped.kill("SIGCONT");
    expect(await stopped.ended).toMatchObject({
      code: 4,
      stderr: expect.stringMatching(/RAW_FILES_CHANGED: .*\n {2}vouchers\/part\.parquet/),
    });
    expect(await visible(workspace)).toEqual(workspace.before);
    expect(await hashesOf(`${settings.zones.curated}/_staging`)).toEqual({});
  });

  it("are accepted if one arrives meanwhile: it is for the next run", async () => {
    const { settings, environment, raw } = await goodWorkspace();
    const stopped = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: "raw files inspected" });
    await stopped.stoodAt("raw files inspected");
    await putFile(raw, "late.csv", `${HEADER}\n${LINE}\n`);
    stopped.kill("SIGCONT");
    expect(await stopped.ended).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("3 of 3 rows are used; none was rejected"),
    });
    expect((await run(settings)).measures["measures.row_accounting"]).toMatchObject([{ rows_read: "4" }]);
  });
});
