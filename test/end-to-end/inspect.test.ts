import { appendFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { inspectRawZone, type InspectionReport } from "../../src/introspect/inspect.js";
import { RunActivity } from "../../src/run/activity.js";
import { readSparkUrl } from "../../src/settings/spark-address.js";
import { pipeline } from "../cli/warm-command.js";
import { withOtherRowsInFooter } from "../hostile/damage.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { getFile, putFile } from "../storage.js";
import { makeWorkspace, PROJECT } from "../workspace.js";
import { HEADER, LINE, withSql } from "./failing.js";

describe("pipeline inspect", () => {
  it("shows the columns, rows, time range and share of rejected rows of every file of the sample", async () => {
    const { environment } = await makeWorkspace();
    const sample = { ...environment, RAW_ZONE: path.join(PROJECT, "data/raw") };
    const { code, stdout } = await pipeline(["inspect", "--json"], sample);
    const { files } = JSON.parse(stdout) as InspectionReport;
    expect(code).toBe(0);
    expect(files.map((file) => [file.path, file.contents?.["rows_read"], file.faults])).toEqual([
      ["vouchers/vouchers-0001.parquet", "9000", []],
      ["vouchers/vouchers-0002.parquet", "9000", []],
      ["vouchers/vouchers-late.csv", "2000", []],
    ]);
    expect(files[0]?.columns).toContainEqual({ name: "voucher_amount", type: "DOUBLE" });
    expect(files[0]?.contents).toEqual({
      rows_read: "9000",
      rejected: "920",
      rejected_share: 0.1022,
      without_first_order: "0",
      first_voucher: "2017-06-04 00:32:40",
      last_voucher: "2020-05-28 23:59:35",
    });
  });

  it("shows why a run could not read a file, and continues with the others", async () => {
    const { settings, environment } = await makeWorkspace();
    const { raw } = settings.zones;
    await putFile(raw, "vouchers/a.parquet", "PAR1 garbage PAR1");
    await putFile(raw, "vouchers/b.csv", `${HEADER}\n${LINE}\n2020-05-01,Peru\n`);
    await putFile(raw, "vouchers/c.csv", "timestamp,country_code\n1,2\n");
    await putFile(raw, "vouchers/d.csv", `${HEADER}\n${LINE}\n${LINE.replace(",7,", ",many,")}\n`);
    await putVouchers(raw, times(3, voucher()), "vouchers/e.parquet");
    await putFile(raw, "vouchers/f.csv", `${HEADER}\n`);
    const { code, stdout } = await pipeline(["inspect"], environment);
    expect(code).toBe(3);
    expect(stdout).toContain(`raw files in ${raw}: 6, readable: 3\n`);
    expect(stdout).toMatch(/^timestamp VARCHAR, country_code VARCHAR, .*\n +file +bytes +rows_read/m);
    expect(stdout).toMatch(
      /^ +vouchers\/d\.csv +\d+ +2 +1 +0\.5 +0 +2020-05-01 00:00:00 +2020-05-01 00:00:00$/m,
    );
    expect(stdout).toMatch(/^ +vouchers\/e\.parquet +\d+ +3 +0 +0 +0 +2020-05-01 10:00:00/m);
    expect(stdout).toMatch(/^ +vouchers\/f\.csv +\d+ +0 +0 +NULL +0 +NULL +NULL$/m);
    expect(stdout).toMatch(
      /unreadable files: 3\n {2}vouchers\/a\.parquet: .+\n {2}vouchers\/b\.csv: .+\n {2}vouchers\/c\.csv: lacks last_order_ts/,
    );
  });

  it("finds a fault in any column that a run reads", async () => {
    const { settings, environment } = await makeWorkspace();
    const { raw } = settings.zones;
    const good = times(1000, voucher()).map((row, index) => ({
      ...row,
      first_order_ts: `2019-01-01 00:00:0${index % 10}`,
    }));
    await putVouchers(raw, good);
    const bytes = await getFile(raw, "vouchers/part.parquet");
    const at = bytes.indexOf("2019-01-01");
    bytes.fill(0xff, at - 12, at);
    await putFile(raw, "vouchers/part.parquet", bytes);
    const { code, stdout } = await pipeline(["inspect"], environment);
    expect(code).toBe(3);
    expect(stdout).toMatch(/readable: 0\n\nunreadable files: 1\n {2}vouchers\/part\.parquet: /);
  });

  it("finds a footer that tells other rows than its row groups", async () => {
    const { settings, environment } = await makeWorkspace();
    const { raw } = settings.zones;
    await putVouchers(raw, times(3, voucher()));
    const damaged = withOtherRowsInFooter(await getFile(raw, "vouchers/part.parquet"), 3);
    await putFile(raw, "vouchers/damaged.parquet", damaged);
    const { code, stdout } = await pipeline(["inspect"], environment);
    expect(code).toBe(3);
    expect(stdout).toMatch(/unreadable files: 1\n {2}vouchers\/damaged\.parquet: .*tells 5 rows/);
  });

  it("is the work of DuckDB, also if a cluster computes the runs", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, times(3, voucher()));
    const address = readSparkUrl("spark://127.0.0.1:9");
    if (typeof address === "string") throw new TypeError(address);
    const engine = { ...address, kind: "spark", caBundle: undefined } as const;
    const { signal } = new AbortController();
    const { rejected } = await inspectRawZone({ ...settings, engine }, signal, new RunActivity());
    expect(rejected).toMatchObject({ rows_read: 3, rejected: 0 });
  });

  it("refuses a raw model that is more than a SELECT, before any of it runs", async () => {
    const { workspace, settings } = await withSql({});
    const model = path.join(settings.sqlDirectory, "v1/raw/vouchers.sql");
    const raw = await getFile(workspace.raw, "part.parquet");
    const target = `'${workspace.raw}/part.parquet' (FORMAT parquet, USE_TMP_FILE false)`;
    await appendFile(model, `); COPY (SELECT 42) TO ${target}; SELECT (1`);
    const inspecting = inspectRawZone(settings, new AbortController().signal, new RunActivity());
    await expect(inspecting).rejects.toMatchObject({
      code: "MODEL_FAILED",
      message: expect.stringMatching(/^sql\/v1\/raw\/vouchers\.sql: /),
    });
    expect(await getFile(workspace.raw, "part.parquet")).toEqual(raw);
  });

  it("shows the folder for files if there are none", async () => {
    const { environment } = await makeWorkspace();
    expect(await pipeline(["inspect"], environment)).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("RAW_ZONE_EMPTY"),
    });
  });
});
