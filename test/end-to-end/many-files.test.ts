import { describe, expect, it } from "@jest/globals";
import type { PlannedRun } from "../../src/introspect/planned-run.js";
import type { ReplayReport } from "../../src/introspect/replay.js";
import type { Stage } from "../../src/record/stages.js";
import type { Settings } from "../../src/settings/settings.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { makeManyOf } from "../many-files.js";
import { times, voucher } from "../raw-vouchers.js";
import { EXECUTION_DATE, run, runOver } from "../run/running.js";
import { hashesOf, listFiles, putFile } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

const KEY = "2020-05-29T000000";
const FOLDER = `vouchers/execution_date=${KEY}`;

/** What a run has made, its curated partitions of many files. */
async function runOverMany() {
  const ran = await runOver([
    ...times(5, voucher()),
    voucher({ country_code: "Chile" }),
    voucher({ total_orders: "" }),
  ]);
  const { curated } = ran.settings.zones;
  for (const table of ["vouchers", "vouchers_rejected"]) await makeManyOf(curated, table, KEY);
  return ran;
}

/** The same zones beside a database that knows no run. */
async function withNewDatabase({ settings, environment }: Pick<Workspace, "settings" | "environment">) {
  const other = await makeWorkspace();
  const { CONSUMPTION_URL = "" } = other.environment;
  return {
    settings: { ...settings, consumptionUrl: other.settings.consumptionUrl },
    environment: { ...environment, CONSUMPTION_URL },
  };
}

/** Has the record of the run tell what a cluster would have written. */
async function recordMany(settings: Settings): Promise<void> {
  const { curated } = settings.zones;
  await readTable(
    settings,
    `UPDATE pipeline_runs SET record = REPLACE(record, '${curated}/${FOLDER}/data.parquet', '${curated}/${FOLDER}/_manifest.json')`,
  );
}

describe("a partition of many files", () => {
  it("is aggregated like one file with its rows", async () => {
    const ran = await runOverMany();
    const { settings } = await withNewDatabase(ran);
    const { provision } = settings.zones;
    const before = await hashesOf(provision);
    const report = await run(settings, EXECUTION_DATE, ["aggregate"]);
    expect(report.at_rest).toContainEqual({
      model: "curated.vouchers",
      uri: `${settings.zones.curated}/${FOLDER}/_manifest.json`,
      sha256: (await hashesOf(settings.zones.curated))[`${FOLDER}/_manifest.json`],
    });
    expect(await hashesOf(provision)).toEqual(before);
  });

  it("is replaced by one file, with all its own files", async () => {
    const { settings } = await runOverMany();
    await putFile(
      settings.zones.curated,
      `${FOLDER}/2020-05-29T000000-dead/part.parquet`,
      "of a run that was killed",
    );
    await run(settings);
    expect((await listFiles(settings.zones.curated)).filter((name) => name.startsWith(FOLDER))).toEqual([
      `${FOLDER}/data.parquet`,
    ]);
  });

  it.each<[string, readonly Stage[]]>([
    ["names a file that is gone", ["aggregate"]],
    ["is not what the last run has written", ["aggregate", "publish"]],
  ])("stops a stage that runs alone if its manifest %s", async (what, stages) => {
    const { settings } = await runOverMany();
    const isGone = what.includes("gone");
    if (isGone)
      await putFile(
        settings.zones.curated,
        `${FOLDER}/_manifest.json`,
        '{"version":1,"files":[{"path":"a/b","bytes":1}]}',
      );
    await expect(run(settings, EXECUTION_DATE, stages)).rejects.toMatchObject({
      code: isGone ? "PARTITION_MISSING" : "PARTITION_DIFFERS",
      message: expect.stringContaining("_manifest.json"),
    });
  });

  it("has its rejected rows shown", async () => {
    const { environment } = await withNewDatabase(await runOverMany());
    const { code, stdout } = await pipeline(["rejected", "-e", EXECUTION_DATE, "--json"], environment);
    expect({ code, rejected: (JSON.parse(stdout) as { rejected: number }).rejected }).toEqual({
      code: 0,
      rejected: 1,
    });
  });

  it("is in a plan with the number of its files, and a faulty one with a warning", async () => {
    const { environment, settings } = await runOverMany();
    const planned = async () => {
      const { code, stdout, stderr } = await pipeline(["plan", "-e", EXECUTION_DATE, "--json"], environment);
      expect(code).toBe(0);
      const { partitions } = JSON.parse(stdout) as PlannedRun;
      return { stderr, replaces: partitions.find(({ model }) => model === "curated.vouchers")?.replaces };
    };
    expect(await planned()).toMatchObject({ stderr: "", replaces: { files: 2 } });
    await putFile(settings.zones.curated, `${FOLDER}/_manifest.json`, "{");
    expect(await planned()).toMatchObject({
      stderr: expect.stringMatching(/^warning: .*not a readable manifest/),
      replaces: null,
    });
  });

  it("is replayed row count for row count, and its aggregates byte for byte", async () => {
    const { environment, report, settings } = await runOverMany();
    await recordMany(settings);
    const replay = async () => {
      const { code, stdout } = await pipeline(["replay", report.run_id, "--json"], environment);
      return { code, replayed: JSON.parse(stdout) as ReplayReport };
    };
    const { code, replayed } = await replay();
    expect({ code, replayed }).toMatchObject({ code: 0, replayed: { is_same: true } });
    expect(replayed.tables.filter(({ compared }) => compared === "rows")).toEqual([
      { model: "curated.vouchers", compared: "rows", then: "6 rows", now: "6 rows" },
    ]);
    const { stdout } = await pipeline(["replay", report.run_id], environment);
    expect(stdout).toContain("byte for byte, and by row count for 1 table with many files");
  });
});
