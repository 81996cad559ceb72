import { execFileSync } from "node:child_process";
import { link, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { readSettings } from "../../src/settings/settings.js";
import { assertApart } from "../../src/zones/apart.js";
import { makeFolder } from "../workspace.js";

const PARTITION = "curated/vouchers/execution_date=2020-05-29T000000";

/** Settings as a process has them, with `<folder>` for a folder that the test has for itself. */
function settingsIn(folder: string, changes: Readonly<Record<string, string>> = {}) {
  const defaults = {
    RAW_ZONE: "<folder>/raw",
    CURATED_ZONE: "<folder>/curated",
    PROVISION_ZONE: "<folder>/provision",
    RUN_REPORTS: "<folder>/runs",
    CONSUMPTION_URL: "sqlite:<folder>/consumption.db",
    DUCKDB_TEMP_DIRECTORY: "<folder>/temp",
    SQL_DIRECTORY: "<folder>/sql",
  };
  return readSettings(
    Object.fromEntries(
      Object.entries({ ...defaults, ...changes }).map(([name, value]) => [
        name,
        value.replaceAll("<folder>", folder),
      ]),
    ),
  );
}

/** Expects two settings and their places to be named. */
async function expectRefused(folder: string, changes: Record<string, string>, words: readonly string[]) {
  const failure: unknown = await assertApart(settingsIn(folder, changes)).catch((error: unknown) => error);
  expect(failure).toMatchObject({ code: "INVALID_SETTINGS" });
  for (const word of words) expect((failure as Error).message).toContain(word.replaceAll("<folder>", folder));
}

const NESTED: [setting: string, place: string, outer: string][] = [
  ["RAW_ZONE", `<folder>/${PARTITION}/raw`, "CURATED_ZONE <folder>/curated"],
  ["RAW_ZONE", "<folder>/provision/_staging/raw", "PROVISION_ZONE <folder>/provision"],
  ["RAW_ZONE", "<folder>", "CURATED_ZONE <folder>/curated lies in RAW_ZONE <folder>"],
  ["CURATED_ZONE", "<folder>/raw/vouchers/curated", "RAW_ZONE <folder>/raw"],
  ["CURATED_ZONE", "<folder>/provision/../provision/", "PROVISION_ZONE <folder>/provision is the same place"],
  ["PROVISION_ZONE", "<folder>/curated/provision", "CURATED_ZONE <folder>/curated"],
  ["CONSUMPTION_URL", `sqlite:<folder>/${PARTITION}/c.db`, "CURATED_ZONE <folder>/curated"],
  ["CONSUMPTION_URL", "sqlite:<folder>/raw/c.db", "RAW_ZONE <folder>/raw"],
  ["RUN_REPORTS", `<folder>/${PARTITION}`, "CURATED_ZONE <folder>/curated"],
  ["RUN_REPORTS", "<folder>/consumption.db.locks/runs", "CONSUMPTION_URL <folder>/consumption.db.locks"],
  ["DUCKDB_TEMP_DIRECTORY", `<folder>/${PARTITION}/temp`, "CURATED_ZONE <folder>/curated"],
  ["METRICS_FILE", `<folder>/${PARTITION}/runs.prom`, "CURATED_ZONE <folder>/curated"],
  ["OPENLINEAGE_FILE", "<folder>/raw/vouchers/lineage.csv", "RAW_ZONE <folder>/raw"],
  ["OPENLINEAGE_FILE", "<folder>/consumption.db-wal", "CONSUMPTION_URL <folder>/consumption.db-wal"],
  ["SQL_DIRECTORY", "<folder>/curated/sql", "CURATED_ZONE <folder>/curated"],
  ["API_KEYS_FILE", `<folder>/${PARTITION}/keys.json`, "CURATED_ZONE <folder>/curated"],
  ["PROVISION_ZONE", "<folder>/temp/session-x", "DUCKDB_TEMP_DIRECTORY <folder>/temp"],
];

describe("a place that lies in another is refused", () => {
  it.each(NESTED)("%s at %s, even if nothing is there", async (setting, place, outer) => {
    const folder = await makeFolder();
    const words = [setting, place.replace(/^sqlite:|\/$/g, "").replace("provision/../", ""), outer];
    await expectRefused(folder, { [setting]: place }, words);
    for (const name of ["raw/vouchers", PARTITION, "provision", "runs", "temp", "sql"]) {
      await mkdir(path.join(folder, name), { recursive: true });
    }
    await writeFile(path.join(folder, "consumption.db"), "");
    await expectRefused(folder, { [setting]: place }, words);
  });

  it.each([
    ["s3://bucket/lake", "s3://bucket/lake/curated/"],
    ["s3://bucket/lake/curated/raw", "s3://bucket/lake/curated"],
    ["s3://bucket", "s3://bucket/curated"],
    ["s3://bucket/lake/", "s3://bucket/lake"],
  ])("on S3: %s and %s", async (raw, curated) => {
    await expectRefused(await makeFolder(), { RAW_ZONE: raw, CURATED_ZONE: curated }, [
      `RAW_ZONE ${raw.replace(/\/$/, "")}`,
      `CURATED_ZONE ${curated.replace(/\/$/, "")}`,
    ]);
  });

  it("if it is the file of a secret", async () => {
    const folder = await makeFolder();
    await mkdir(path.join(folder, PARTITION), { recursive: true });
    await writeFile(path.join(folder, PARTITION, "secret"), "https://hooks.example.org/a");
    await expectRefused(folder, { NOTIFY_URL_FILE: `<folder>/${PARTITION}/secret` }, [
      "NOTIFY_URL_FILE",
      "CURATED_ZONE <folder>/curated",
    ]);
  });

  it("through links, also through one that leads to a missing folder", async () => {
    const folder = await makeFolder();
    await mkdir(path.join(folder, PARTITION), { recursive: true });
    await symlink(path.join(folder, "curated"), path.join(folder, "link"));
    await symlink(`${PARTITION}/c.db`, path.join(folder, "link.db"));
    await expectRefused(folder, { RAW_ZONE: "<folder>/link/raw" }, [
      "RAW_ZONE <folder>/link/raw (it leads to <folder>/curated/raw) lies in CURATED_ZONE <folder>/curated",
    ]);
    await expectRefused(folder, { CONSUMPTION_URL: "sqlite:<folder>/link.db" }, [
      `it leads to <folder>/${PARTITION}/c.db) lies in CURATED_ZONE`,
    ]);
    await rm(path.join(folder, "link"));
    await mkdir(path.join(folder, "raw/vouchers"), { recursive: true });
    await symlink(path.join(folder, "raw/vouchers"), path.join(folder, "curated/other"));
    await expectRefused(folder, {}, [
      "CURATED_ZONE <folder>/curated/other (it leads to <folder>/raw/vouchers) lies in RAW_ZONE <folder>/raw",
    ]);
  });

  it("that does not exist yet, if the names differ only in case", async () => {
    await expectRefused(await makeFolder(), { PROVISION_ZONE: "<folder>/CURATED/provision" }, [
      "PROVISION_ZONE <folder>/CURATED/provision lies in CURATED_ZONE <folder>/curated",
    ]);
  });

  it("under a second name of the same file", async () => {
    const folder = await makeFolder();
    await writeFile(path.join(folder, "consumption.db"), "");
    await link(path.join(folder, "consumption.db"), path.join(folder, "lineage.ndjson"));
    await expectRefused(folder, { OPENLINEAGE_FILE: "<folder>/lineage.ndjson" }, [
      "OPENLINEAGE_FILE <folder>/lineage.ndjson is the same place as CONSUMPTION_URL <folder>/consumption.db",
    ]);
  });
});

describe("places that do not lie in each other are accepted", () => {
  it.each<[string, Record<string, string>]>([
    ["beside each other", {}],
    ["as they are unless they are set", { ...settingsByDefault() }],
    ["with names that begin alike", { CURATED_ZONE: "<folder>/raw2", PROVISION_ZONE: "<folder>/raw-3" }],
    ["in a folder for temporary files that others use, too", { DUCKDB_TEMP_DIRECTORY: "<folder>" }],
    [
      "on S3 with names that begin alike",
      { RAW_ZONE: "s3://bucket/lake", CURATED_ZONE: "s3://bucket/lake2" },
    ],
    ["on S3 and on disk", { RAW_ZONE: "s3://bucket/raw", RUN_REPORTS: "s3://bucket/runs" }],
    [
      "in a file and a folder of one parent",
      { METRICS_FILE: "<folder>/m.prom", OPENLINEAGE_FILE: "<folder>/l" },
    ],
  ])("%s", async (_what, changes) => {
    const folder = await makeFolder();
    await assertApart(settingsIn(folder, changes));
    await mkdir(path.join(folder, PARTITION), { recursive: true });
    await assertApart(settingsIn(folder, changes));
  });

  it("with zones and tables that are links to other folders", async () => {
    const folder = await makeFolder();
    for (const name of ["disk/curated", "disk/vouchers", "disk/raw", "raw"]) {
      await mkdir(path.join(folder, name), { recursive: true });
    }
    await symlink(path.join(folder, "disk/curated"), path.join(folder, "curated"));
    await symlink(path.join(folder, "disk/vouchers"), path.join(folder, "curated/vouchers"));
    await symlink(path.join(folder, "disk/raw"), path.join(folder, "raw/vouchers"));
    const check = await assertApart(settingsIn(folder));
    await check("vouchers", path.join(folder, "disk/raw"));
  });
});

describe("a link in the raw zone is refused by name", () => {
  it.each([
    ["to a partition", PARTITION, "which lies in CURATED_ZONE"],
    ["to a folder that a zone is in", "", "which holds CURATED_ZONE"],
    ["to the database", "consumption.db", "which lies in CONSUMPTION_URL"],
  ])("%s", async (_what, target, words) => {
    const folder = await makeFolder();
    await mkdir(path.join(folder, PARTITION), { recursive: true });
    await writeFile(path.join(folder, "consumption.db"), "");
    const check = await assertApart(settingsIn(folder));
    await expect(check("vouchers/again", path.join(folder, target))).rejects.toMatchObject({
      code: "INVALID_SETTINGS",
      message: expect.stringMatching(new RegExp(`^vouchers/again in RAW_ZONE .* is a link to .*, ${words}`)),
    });
  });
});

(canMount() ? describe : describe.skip)("a folder that is mounted a second time is recognised", () => {
  let mounted: string[] = [];
  afterEach(() => {
    for (const point of mounted.reverse()) execFileSync("umount", [point]);
    mounted = [];
  });
  const mount = async (from: string, to: string) => {
    await mkdir(from, { recursive: true });
    await mkdir(to, { recursive: true });
    execFileSync("mount", ["--bind", from, to]);
    mounted.push(to);
  };

  it("if a zone is mounted", async () => {
    const folder = await makeFolder();
    await mount(path.join(folder, "curated"), path.join(folder, "mounted"));
    await expectRefused(folder, { RAW_ZONE: "<folder>/mounted/raw" }, [
      "RAW_ZONE <folder>/mounted/raw lies in CURATED",
    ]);
  });

  it("if a folder in a zone is mounted", async () => {
    const folder = await makeFolder();
    await mount(path.join(folder, PARTITION), path.join(folder, "mounted"));
    const words = ["RAW_ZONE <folder>/mounted/raw lies in CURATED_ZONE <folder>/curated"];
    await expectRefused(folder, { RAW_ZONE: "<folder>/mounted/raw" }, words);
  });

  it("if it is mounted in a zone", async () => {
    const folder = await makeFolder();
    await mount(path.join(folder, "raw/vouchers"), path.join(folder, PARTITION, "mounted"));
    await expectRefused(folder, {}, [
      `CURATED_ZONE <folder>/${PARTITION}/mounted lies in RAW_ZONE <folder>/raw`,
    ]);
  });
});

/** The places of the default settings, below the folder of the test. */
function settingsByDefault(): Record<string, string> {
  const { zones, runReports } = readSettings({});
  const here = (place: string) => path.join("<folder>", path.relative(process.cwd(), place));
  return {
    RAW_ZONE: here(zones.raw),
    CURATED_ZONE: here(zones.curated),
    PROVISION_ZONE: here(zones.provision),
    RUN_REPORTS: here(runReports),
    CONSUMPTION_URL: "sqlite:<folder>/data/consumption.db",
  };
}

/** Only root can, and not in every container. */
function canMount(): boolean {
  try {
    execFileSync("unshare", ["--mount", "true"], { stdio: "ignore" });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
}
