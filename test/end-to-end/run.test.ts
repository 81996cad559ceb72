import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { summaryOf } from "../../src/record/terminal.js";
import { readConsumption, readTable } from "../consumption/reading.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, readPartition, run, runOver } from "../run/running.js";
import { hashesOf, listFiles, putFile } from "../storage.js";
import { makeWorkspace, PROJECT, type Workspace } from "../workspace.js";

const SAMPLE = path.join(PROJECT, "data/raw");

async function zonesOf({ settings }: Workspace) {
  return {
    curated: await hashesOf(settings.zones.curated),
    provision: await hashesOf(settings.zones.provision),
  };
}

/** The sample in the raw zone of a workspace. */
async function sampleWorkspace(threads: number) {
  const { settings, ...workspace } = await makeWorkspace();
  for (const name of await listFiles(SAMPLE)) {
    await putFile(settings.zones.raw, name, await readFile(path.join(SAMPLE, name)));
  }
  return { ...workspace, settings: { ...settings, duckdb: { ...settings.duckdb, threads } } };
}

describe("a run over the sample", () => {
  let workspace: Workspace;
  let report: Awaited<ReturnType<typeof run>>;
  beforeAll(async () => {
    workspace = await sampleWorkspace(2);
    report = await run(workspace.settings);
  });

  it("accounts for every row", () => {
    const [accounting] = report.measures["measures.row_accounting"] ?? [];
    const { rows_read, rejected, out_of_scope, curated } = accounting ?? {};
    expect(Number(rows_read)).toBe(20_000);
    expect(Number(rejected) + Number(out_of_scope) + Number(curated)).toBe(20_000);
  });

  it("finds 2640 as Peru's most used amount in all segments", async () => {
    const peru = "SELECT * FROM voucher_%s_most_used WHERE country_code = 'Peru'";
    const frequent = await readTable(workspace.settings, peru.replace("%s", "frequent"));
    const recency = await readTable(workspace.settings, peru.replace("%s", "recency"));
    expect(frequent).toHaveLength(4);
    expect(recency).toHaveLength(6);
    for (const row of [...frequent, ...recency]) {
      expect(row).toMatchObject({ voucher_amount: 2640, execution_date: "2020-05-29T000000" });
    }
  });

  it("writes one file for each partition, and leaves nothing else in the zones", async () => {
    const partition = "execution_date=2020-05-29T000000/data.parquet";
    expect(await listFiles(workspace.settings.zones.curated)).toEqual([
      `vouchers/${partition}`,
      `vouchers_rejected/${partition}`,
    ]);
    expect(await listFiles(workspace.settings.zones.provision)).toEqual([
      `voucher_amount_usage/${partition}`,
      `voucher_answers/${partition}`,
      `voucher_country_most_used/${partition}`,
      `voucher_frequent_most_used/${partition}`,
      `voucher_recency_most_used/${partition}`,
    ]);
  });

  it("publishes exactly the columns of the contract, in their order", async () => {
    const columns = async (table: string) => {
      const [row] = await readTable(workspace.settings, `SELECT * FROM ${table}`);
      return Object.keys(row as object);
    };
    expect(await columns("voucher_frequent_most_used")).toEqual([
      "country_code",
      "frequent_segment",
      "voucher_amount",
      "execution_date",
    ]);
    expect(await columns("voucher_recency_most_used")).toEqual([
      "country_code",
      "recency_segment",
      "voucher_amount",
      "execution_date",
    ]);
  });

  it("publishes the rows of the provision zone", async () => {
    for (const kind of ["frequent", "recency"]) {
      const provision = await readPartition(workspace.settings, `provision.voucher_${kind}_most_used`);
      const published = await readTable(workspace.settings, `SELECT * FROM voucher_${kind}_most_used`);
      const columns = ["country_code", `${kind}_segment`, "voucher_amount", "execution_date"];
      const wanted = provision.map((row) =>
        Object.fromEntries(columns.map((column) => [column, row[column]])),
      );
      expect(new Set(published.map((row) => JSON.stringify(row)))).toEqual(
        new Set(wanted.map((row) => JSON.stringify(row))),
      );
    }
  });

  it("changes nothing when it runs again", async () => {
    const zones = await zonesOf(workspace);
    const consumption = await readConsumption(workspace.settings);
    const again = await run(workspace.settings);
    expect(await zonesOf(workspace)).toEqual(zones);
    expect(await readConsumption(workspace.settings)).toEqual(consumption);
    expect(again.published).toMatchObject({ isNew: false });
  });

  it.each([1, 4])("writes the same bytes with %d threads", async (threads) => {
    const other = await sampleWorkspace(threads);
    await run(other.settings);
    expect(await zonesOf(other)).toEqual(await zonesOf(workspace));
  });

  it("changes no other execution date", async () => {
    const before = await zonesOf(workspace);
    const older = await run(workspace.settings, "2019-12-31T12:00:00");
    expect(summaryOf({ outcome: "succeeded", fault: undefined, report: older })).toContain(
      "The voucher answers for 31 December 2019, 12:00:00 UTC are published; readers still get the answers for 29 May 2020.",
    );
    const after = await zonesOf(workspace);
    expect(after.curated).toMatchObject(before.curated);
    expect(after.provision).toMatchObject(before.provision);
    const dates = await readTable(
      workspace.settings,
      "SELECT DISTINCT execution_date FROM voucher_frequent_most_used ORDER BY 1",
    );
    expect(dates).toEqual([{ execution_date: "2019-12-31T120000" }, { execution_date: "2020-05-29T000000" }]);
  });

  it("records its inputs, counts, outputs and audits", async () => {
    const [row] = (await readTable(
      workspace.settings,
      `SELECT outcome, record FROM pipeline_runs WHERE run_id = '${report.run_id}'`,
    )) as { outcome: string; record: string }[];
    expect(row?.outcome).toBe("succeeded");
    expect(JSON.parse(row?.record ?? "")).toEqual(report);
    expect(report.inputs.map(({ path: file }) => file)).toEqual([
      "vouchers/vouchers-0001.parquet",
      "vouchers/vouchers-0002.parquet",
      "vouchers/vouchers-late.csv",
    ]);
    expect(report.audits).toContainEqual({
      model: "measures.row_accounting",
      audit: "rows_are_accounted_for",
      promise: expect.stringContaining("Every raw row is in exactly one table"),
      severity: "error",
      outcome: "passed",
      broken: 0,
      threshold: { rows: 0 },
      rows: [],
    });
    expect(report.tables.map(({ sha256 }) => sha256)).toEqual(
      report.tables.map(() => expect.stringMatching(/^[0-9a-f]{64}$/)),
    );
  });
});

describe("a run", () => {
  it("replaces the publication of an earlier run of the same date", async () => {
    const workspace = await runOver([voucher(), voucher({ country_code: "Chile" })]);
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "9999" })]);
    await run(workspace.settings);
    expect(await readTable(workspace.settings, "SELECT * FROM voucher_frequent_most_used")).toEqual([
      {
        country_code: "Peru",
        frequent_segment: "5-13",
        voucher_amount: 9999,
        execution_date: "2020-05-29T000000",
      },
    ]);
  });

  it("publishes two countries that differ only in a byte order mark as two", async () => {
    const marked = voucher({ country_code: "\ufeffPeru", voucher_amount: "1" });
    const { settings } = await runOver([...times(3, voucher()), marked]);
    const published = await readTable(
      settings,
      "SELECT country_code, voucher_amount FROM voucher_frequent_most_used ORDER BY voucher_amount",
    );
    expect(published).toEqual([
      { country_code: "\ufeffPeru", voucher_amount: 1 },
      { country_code: "Peru", voucher_amount: 2640 },
    ]);
  });

  it("removes foreign files from its partitions only", async () => {
    const workspace = await runOver([voucher()]);
    const own = "vouchers/execution_date=2020-05-29T000000/part-0.parquet";
    const other = "vouchers/execution_date=2020-05-28T000000/part-0.parquet";
    await putFile(workspace.settings.zones.curated, own, "left over");
    await putFile(workspace.settings.zones.curated, other, "not ours");
    await run(workspace.settings);
    const files = await listFiles(workspace.settings.zones.curated);
    expect(files).not.toContain(own);
    expect(files).toContain(other);
  });

  it("removes the staged files of a dead run of its date, and leaves those of other dates", async () => {
    const workspace = await runOver([voucher()]);
    const staging = `${workspace.settings.zones.curated}/_staging`;
    await putFile(staging, "2020-05-29T000000-dead/vouchers/data.parquet", "dead");
    await putFile(staging, "2020-05-28T000000-alive/vouchers/data.parquet", "alive");
    await run(workspace.settings);
    expect(await listFiles(staging)).toEqual(["2020-05-28T000000-alive/vouchers/data.parquet"]);
  });

  it("allows exactly the share of rejected rows in the setting", async () => {
    const vouchers = [...times(7, voucher()), ...times(3, voucher({ total_orders: "" }))];
    const { report } = await runOver(vouchers, EXECUTION_DATE, { maxRejectedShare: "0.3" });
    expect(report.measures["measures.row_accounting"]).toMatchObject([{ rejected: "3", rows_read: "10" }]);
  });

  it("marks a dead run as killed", async () => {
    const workspace = await runOver([voucher()]);
    await readTable(
      workspace.settings,
      `INSERT INTO pipeline_runs SELECT 'dead', execution_date, stages, 'running', started_at, NULL, started_by,
       sql_version, sql_hash, NULL, NULL, NULL FROM pipeline_runs`,
    );
    await run(workspace.settings);
    expect(
      await readTable(workspace.settings, "SELECT outcome FROM pipeline_runs WHERE run_id = 'dead'"),
    ).toEqual([{ outcome: "killed" }]);
  });

  it("keeps the temporary folder empty", async () => {
    const { settings } = await runOver([voucher()]);
    await run(settings);
    expect(await readdir(settings.duckdb.tempDirectory)).toEqual([]);
  });
});

describe("stages that run alone", () => {
  it("end like a whole run", async () => {
    const whole = await runOver([voucher(), voucher({ total_orders: "" })]);
    const parts = await makeWorkspace();
    const { settings } = parts;
    await putVouchers(settings.zones.raw, [voucher(), voucher({ total_orders: "" })]);
    await run(settings, EXECUTION_DATE, ["curate"]);
    expect(await listFiles(settings.zones.provision)).toEqual([]);
    await run(settings, EXECUTION_DATE, ["aggregate"]);
    const published = await run(settings, EXECUTION_DATE, ["publish"]);

    expect(published.published).toMatchObject({ isNew: true });
    expect(await zonesOf(parts)).toEqual(await zonesOf(whole));
    const withoutRun = async ({ settings: of }: Workspace) =>
      JSON.stringify(await readConsumption(of)).replace(/"run_id":"[^"]*"|"published_at":"[^"]*"/g, "");
    expect(await withoutRun(parts)).toBe(await withoutRun(whole));
  });

  it("need the output of the previous one, and explain how to make it", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run(settings, EXECUTION_DATE, ["aggregate"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringContaining("pipeline curate -e 2020-05-29T00:00:00Z"),
    });
    await run(settings, EXECUTION_DATE, ["curate"]);
    await expect(run(settings, EXECUTION_DATE, ["publish"])).rejects.toMatchObject({
      code: "PARTITION_MISSING",
      message: expect.stringContaining("pipeline aggregate -e 2020-05-29T00:00:00Z"),
    });
  });
});

const REAL_FILE = process.env["VOUCHERS_2018_FILE"];

/** The history of 2018 is real and not ours to give away: the test runs where VOUCHERS_2018_FILE names it. */
(REAL_FILE === undefined ? describe.skip : describe)("a run over the real history of 2018", () => {
  it("finds the known answers", async () => {
    const { settings } = await makeWorkspace();
    await putFile(settings.zones.raw, "vouchers/vouchers-2018.parquet.gzip", await readFile(REAL_FILE ?? ""));
    const { measures } = await run(settings, "2018-07-31");

    expect(measures["measures.row_accounting"]).toEqual([
      { rows_read: "285570", rejected: "24442", out_of_scope: "4623", curated: "256505" },
    ]);
    expect(measures["measures.rejected_by_reason"]).toEqual([
      { reject_reason: "total_orders_missing", rejected: "22845" },
      { reject_reason: "voucher_amount_missing", rejected: "1731" },
    ]);
    const frequent = await readPartition(settings, "provision.voucher_frequent_most_used", "2018-07-31");
    const recency = await readPartition(settings, "provision.voucher_recency_most_used", "2018-07-31");
    const amounts = (rows: typeof frequent, country: string) =>
      rows
        .filter(({ country_code }) => country_code === country)
        .map(({ voucher_amount, assignments, segment_assignments }) => [
          voucher_amount,
          assignments,
          segment_assignments,
        ]);
    expect(frequent).toHaveLength(16);
    expect(recency).toHaveLength(20);
    expect(amounts(frequent, "Peru").map(([amount]) => amount)).toEqual([2640, 2640, 2640, 2640]);
    expect(amounts(frequent, "Peru")[0]).toEqual([2640, "7384", "17160"]);
    expect(amounts(recency, "Peru").map(([amount]) => amount)).toEqual([3520, 2640, 2640, 2640, 2640]);
    expect(amounts(recency, "Peru")[0]).toEqual([3520, "2", "4"]);
    expect(amounts(recency, "Australia")[0]).toEqual([2200, "2", "6"]);
    expect(recency.filter(({ recency_segment }) => recency_segment === "180+")).toEqual([]);
  });
});
