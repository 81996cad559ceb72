import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import type { CheckResult, DoctorReport } from "../../src/introspect/doctor/doctor.js";
import { pipeline } from "../cli/warm-command.js";
import { readTable } from "../consumption/reading.js";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { runOver } from "../run/running.js";
import { hashesOf } from "../storage.js";
import { fingerprint, makeFolder, makeWorkspace, type Workspace } from "../workspace.js";
import { visible } from "./failing.js";

/** What a doctor says of an environment, by check, and the exit code. */
async function doctor(
  environment: Record<string, string>,
): Promise<{ code: number | null; report: DoctorReport; of: (check: string) => CheckResult | undefined }> {
  const { code, stdout } = await pipeline(["doctor", "--json"], environment);
  const report = JSON.parse(stdout) as DoctorReport;
  return { code, report, of: (check) => report.checks.find((result) => result.check === check) };
}

function outcomes({ checks }: DoctorReport, outcome: CheckResult["outcome"]): string[] {
  return checks.filter((result) => result.outcome === outcome).map(({ check }) => check);
}

async function untouched(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, [voucher()]);
  return workspace;
}

async function filesOf({ folder, settings: { zones } }: Workspace): Promise<object> {
  return [await fingerprint(folder), await hashesOf(zones.curated), await hashesOf(zones.provision)];
}

describe("pipeline doctor", () => {
  let workspace: Workspace;
  beforeAll(async () => {
    workspace = await untouched();
  });

  it("passes before the first run, and leaves nothing behind", async () => {
    const before = await filesOf(workspace);
    const { code, report, of } = await doctor(workspace.environment);
    expect([report.checks.filter(({ outcome }) => outcome !== "passed"), report.healthy, code]).toEqual([
      [],
      true,
      0,
    ]);
    expect(of("raw zone")?.message).toMatch(/^1 raw files, \d+ bytes, in /);
    expect(of("tables")?.message).toContain("the next run creates: migration 0001_publications_and_runs");
    expect(await filesOf(workspace)).toEqual(before);
  });

  it("passes after a run, changes nothing that readers see, and shows the results in words", async () => {
    const ran = await runOver([voucher()]);
    const before = await visible(ran);
    const { code, stdout, stderr } = await pipeline(["doctor"], ran.environment);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(/^✓ ok +tables +up to date$/m);
    expect(stdout).toMatch(/\n\nall is well\n$/);
    expect(await visible(ran)).toEqual(before);
  });

  it("runs every other check if some have failed, and ends with the code of the gravest", async () => {
    const { code, report, of } = await doctor({
      ...workspace.environment,
      SQL_VERSION: "v99",
      CONSUMPTION_URL: "mysql://user:a-secret@127.0.0.1:1/database",
    });
    expect(outcomes(report, "failed")).toEqual(["sql", "database"]);
    expect(outcomes(report, "unchecked")).toEqual(["sql binds", "raw zone", "tables", "rights"]);
    expect([of("sql")?.code, of("database")?.code, code]).toEqual([
      "INVALID_MODEL",
      "CONSUMPTION_UNAVAILABLE",
      2,
    ]);
    expect(of("tables")?.message).toBe("it needs database, sql");
    expect(JSON.stringify(report)).not.toContain("a-secret");
  });

  it.each([
    ["the database is away", { CONSUMPTION_URL: "mysql://user:word@127.0.0.1:1/database" }, "database", 4],
    [
      "the file of the database is none",
      { CONSUMPTION_URL: "sqlite:/dev/null/consumption.db" },
      "database",
      2,
    ],
    ["the database can be nowhere", { CONSUMPTION_URL: "sqlite:/proc/none/consumption.db" }, "rights", 2],
    ["a zone can be nowhere", { CURATED_ZONE: "/proc/none/curated" }, "writing curated", 2],
    [
      "a zone is a file",
      { PROVISION_ZONE: path.join(import.meta.dirname, "doctor.test.ts") },
      "provision zone",
      2,
    ],
    ["zones share a place", { CURATED_ZONE: "/nowhere", PROVISION_ZONE: "/nowhere" }, "zones", 2],
    ["the temporary folder can be nowhere", { DUCKDB_TEMP_DIRECTORY: "/proc/none" }, "temporary folder", 2],
    ["DuckDB may take more than there is", { DUCKDB_MEMORY_LIMIT: "900TB" }, "memory", 2],
    ["metrics can be nowhere", { METRICS_FILE: "/proc/none/runs.prom" }, "reports", 2],
    ["a setting is wrong", { DUCKDB_THREADS: "many" }, "settings", 2],
  ])("reports if %s", async (_what, change, check, exitCode) => {
    const { code, report } = await doctor({ ...workspace.environment, ...change });
    expect([outcomes(report, "failed").filter((name) => name !== "disk"), code]).toEqual([[check], exitCode]);
  });

  it("ends with 3 if there are no raw files", async () => {
    const { environment } = await makeWorkspace();
    const { code, of } = await doctor(environment);
    expect([of("raw zone")?.code, code]).toEqual(["RAW_ZONE_EMPTY", 3]);
  });

  it("recognises a database of a newer pipeline, and foreign tables", async () => {
    const { settings, environment } = await runOver([voucher()]);
    await readTable(settings, "ALTER TABLE voucher_country_most_used ADD COLUMN more integer");
    expect((await doctor(environment)).of("tables")?.code).toBe("CONSUMPTION_TABLE_DIFFERS");
    await readTable(
      settings,
      "INSERT INTO kysely_migration (name, timestamp) VALUES ('9999_of_the_future', '')",
    );
    expect((await doctor(environment)).of("tables")).toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("it has had 9999_of_the_future. Check whether a newer version"),
    });
  });

  it("creates no folder for zones, database and temporary files", async () => {
    const folder = await makeFolder();
    const place = (name: string) => path.join(folder, "not", "there", name);
    const { report } = await doctor({
      ...workspace.environment,
      CURATED_ZONE: place("curated"),
      PROVISION_ZONE: place("provision"),
      CONSUMPTION_URL: `sqlite:${place("consumption.db")}`,
      DUCKDB_TEMP_DIRECTORY: place("temp"),
      RUN_REPORTS: place("runs"),
    });
    expect([report.healthy, await fingerprint(folder)]).toEqual([true, {}]);
  });
});
