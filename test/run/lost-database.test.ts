import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { start } from "../cli/command.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { hashesOf } from "../storage.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { EXECUTION_DATE, run } from "./running.js";

/** The files of a SQLite database that is open. */
const ENDS = ["", "-wal", "-shm"];

/** It has published once, and its raw files have changed since. Its database is in a separate folder, behind a link. */
async function workspaceBehindLink(): Promise<Workspace> {
  const { environment, folder, settings: inFolder } = await makeWorkspace();
  await mkdir(path.join(folder, "db"));
  await symlink("db", path.join(folder, "link"));
  const consumptionUrl = `sqlite:${path.join(folder, "link", "consumption.db")}`;
  const settings = { ...inFolder, consumptionUrl };
  await putVouchers(settings.zones.raw, times(3, voucher()));
  await run(settings);
  await putVouchers(settings.zones.raw, times(3, voucher({ voucher_amount: "7" })));
  return {
    folder,
    settings,
    environment: {
      ...environment,
      CONSUMPTION_URL: consumptionUrl,
      METRICS_FILE: path.join(folder, "metrics.prom"),
      OPENLINEAGE_FILE: path.join(folder, "lineage.jsonl"),
    },
  };
}

type Damage = (folder: string) => Promise<void>;

const inDatabaseFolder =
  (work: (database: string) => Promise<void>): Damage =>
  (folder) =>
    work(path.join(folder, "db", "consumption.db"));

const DAMAGES: readonly (readonly [what: string, failpoint: string, damage: Damage])[] = [
  ["removed", "start recorded", inDatabaseFolder((database) => rm(database))],
  ["moved away", "all prepared", inDatabaseFolder((database) => rename(database, `${database}.moved`))],
  [
    "removed with its folder",
    "published",
    (folder) => rm(path.join(folder, "db"), { recursive: true, force: true }),
  ],
  [
    "replaced by a file that is no database",
    "success recorded",
    inDatabaseFolder(async (database) => {
      await rm(database);
      await writeFile(database, "x".repeat(10_000));
    }),
  ],
  [
    "replaced by an empty file",
    "publish: publication written",
    inDatabaseFolder(async (database) => {
      for (const end of ENDS) await rm(`${database}${end}`);
      await writeFile(database, "");
    }),
  ],
  [
    "replaced by a copy of itself",
    "published",
    inDatabaseFolder(async (database) => {
      for (const end of ENDS) await copyFile(`${database}${end}`, `${database}.copy${end}`);
      for (const end of ENDS) await rename(`${database}.copy${end}`, `${database}${end}`);
    }),
  ],
  [
    "not behind its link any more",
    "all committed",
    async (folder) => {
      await mkdir(path.join(folder, "other"));
      await rm(path.join(folder, "link"));
      await symlink("other", path.join(folder, "link"));
    },
  ],
  [
    "behind a link to itself",
    "all prepared",
    async (folder) => {
      await rm(path.join(folder, "link"));
      await symlink("link", path.join(folder, "link"));
    },
  ],
];

describe("a run whose database is", () => {
  it.each(DAMAGES)("%s at '%s' ends with 4, reports no publication and restores the zones", async (...of) => {
    const [, failpoint, damage] = of;
    const { environment, folder, settings } = await workspaceBehindLink();
    const zonesNow = async () => [
      await hashesOf(settings.zones.curated),
      await hashesOf(settings.zones.provision),
    ];
    const before = await zonesNow();
    const running = start(["-e", EXECUTION_DATE, "--json"], { ...environment, TEST_FAILPOINT: failpoint });
    await running.stoodAt(failpoint);
    await damage(folder);
    running.kill("SIGCONT");
    const { code, stdout, stderr } = await running.ended;
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    const [, told = ""] = stderr.split("\n");
    const { error } = JSON.parse(told) as { error: { code: string; message: string; report: string } };
    expect(error).toMatchObject({
      code: "CONSUMPTION_LOST",
      message: expect.stringMatching(/Nothing was published\. Check CONSUMPTION_URL and run again$/),
    });
    expect(await zonesNow()).toEqual(before);
    expect(existsSync(path.join(folder, "metrics.prom"))).toBe(false);
    const events = (await readFile(path.join(folder, "lineage.jsonl"), "utf8")).trim().split("\n");
    expect(events.map((event) => (JSON.parse(event) as { eventType: string }).eventType)).toEqual([
      "START",
      "FAIL",
    ]);
    expect(await readFile(error.report, "utf8")).toContain("CONSUMPTION_LOST");
  });

  it("without its -wal file ends with 4, whatever SQLite does", async () => {
    const { environment, folder } = await workspaceBehindLink();
    const failpoint = "success recorded";
    const running = start(["-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: failpoint });
    await running.stoodAt(failpoint);
    await rm(path.join(folder, "db", "consumption.db-wal"));
    running.kill("SIGCONT");
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([4, expect.stringMatching(/\nerror CONSUMPTION_(LOST|UNAVAILABLE): /)]);
  });

  it("removed ends with 4, too, if the run publishes nothing", async () => {
    const { environment, folder } = await workspaceBehindLink();
    const failpoint = "all prepared";
    const running = start(["curate", "-e", EXECUTION_DATE], { ...environment, TEST_FAILPOINT: failpoint });
    await running.stoodAt(failpoint);
    await rm(path.join(folder, "db", "consumption.db"));
    running.kill("SIGCONT");
    const { code, stderr } = await running.ended;
    expect([code, stderr]).toEqual([4, expect.stringContaining("error CONSUMPTION_LOST: ")]);
  });
});
