import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, rm, utimes, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { makeTempDirectory } from "../../src/engine/duckdb/temp-directory.js";
import { pipeline, start, MAIN_WITH_FAILPOINTS } from "../cli/command.js";
import { readTable } from "../consumption/reading.js";
import { putLargeFile, putVouchers, times, voucher } from "../raw-vouchers.js";
import { until } from "../until.js";
import { makeFolder, makeWorkspace, type Workspace } from "../workspace.js";

async function goodWorkspace(): Promise<Workspace> {
  const workspace = await makeWorkspace();
  await putVouchers(workspace.settings.zones.raw, times(3, voucher()));
  return workspace;
}

/** Starts a shell in a new PID namespace, on a host of a given name. Only root can. */
const CONTAINER = ["--pid", "--fork", "--kill-child", "--mount-proc", "--uts", "sh", "-c"];
const hasContainers = spawnSync("unshare", [...CONTAINER, "true"]).status === 0;

describe("the folder for temporary files", () => {
  (hasContainers ? it : it.skip)(
    "is shared by containers with the same host name, which leave each other's files alone",
    async () => {
      const { environment, settings } = await goodWorkspace();
      const parent = settings.duckdb.tempDirectory;
      const inContainer = (date: string, failpoint?: string) =>
        spawn(
          "unshare",
          [
            ...CONTAINER,
            `hostname same; "${process.execPath}" "${MAIN_WITH_FAILPOINTS}" -e ${date}; exit $?`,
          ],
          {
            env: {
              PATH: process.env["PATH"],
              ...environment,
              ...(failpoint && { TEST_FAILPOINT: failpoint }),
            },
            stdio: ["ignore", "ignore", "pipe"],
          },
        );
      const stopped = inContainer("2020-05-28", "raw files inspected");
      let said = "";
      stopped.stderr.setEncoding("utf8").on("data", (text: string) => (said += text));
      await until(() => said.includes("failpoint raw files inspected"), 60);
      const [folder = ""] = await readdir(parent);
      const other = inContainer("2020-05-29");
      expect(await once(other, "close")).toEqual([0, null]);
      expect(await readdir(parent)).toEqual([folder]);
      // With it ends the first process of its namespace, and with that all others.
      stopped.kill("SIGKILL");
      await once(stopped, "close");
      expect(await pipeline(["-e", "2020-05-28"], environment)).toMatchObject({ code: 0, stderr: "" });
      expect(await readdir(parent)).toEqual([]);
    },
  );

  it("of a run that was killed is removed by the next one", async () => {
    const { environment, settings } = await goodWorkspace();
    const killed = start(["-e", "2020-05-29"], { ...environment, TEST_FAILPOINT: "raw files inspected" });
    await killed.stoodAt("raw files inspected");
    killed.kill("SIGKILL");
    await killed.ended;
    expect(await readdir(settings.duckdb.tempDirectory)).toHaveLength(1);
    expect(await pipeline(["-e", "2020-05-29"], environment)).toMatchObject({ code: 0 });
    expect(await readdir(settings.duckdb.tempDirectory)).toEqual([]);
  });

  it("is kept while this process uses it, and removed if its process was killed before that", async () => {
    const parent = await makeFolder();
    await mkdir(path.join(parent, "new-killed"));
    await mkdir(path.join(parent, "new-killed-with-lock"));
    await writeFile(path.join(parent, "new-killed-with-lock", "lock"), "");
    await mkdir(path.join(parent, "session-young-without-lock"));
    await mkdir(path.join(parent, "session-older-without-lock"));
    const longAgo = new Date(Date.now() - 2 * 24 * 60 * 60 * 1_000);
    await utimes(path.join(parent, "session-older-without-lock"), longAgo, longAgo);
    await mkdir(path.join(parent, "of-somebody-else"));
    const [first, second] = [await makeTempDirectory(parent), await makeTempDirectory(parent)];
    const kept = [first.path, second.path].map((folder) => path.basename(folder));
    expect(new Set(await readdir(parent))).toEqual(
      new Set([...kept, "session-young-without-lock", "of-somebody-else"]),
    );
    await first.remove();
    await second.remove();
    expect(new Set(await readdir(parent))).toEqual(
      new Set(["session-young-without-lock", "of-somebody-else"]),
    );
  });

  it("is made and kept by each of many processes that start and clean at the same time", async () => {
    const parent = await makeFolder();
    for (let round = 0; round < 5; round += 1) {
      const made = await Promise.all(Array.from({ length: 20 }, () => makeTempDirectory(parent)));
      const names = made.map((folder) => path.basename(folder.path));
      expect(new Set(await readdir(parent))).toEqual(new Set(names));
      for (const folder of made) expect(await readdir(folder.path)).toContain("lock");
      for (const folder of made) await folder.remove();
    }
    expect(await readdir(parent)).toEqual([]);
  });

  it.each([
    ["a run", ["-e", "2020-05-29"], "raw files inspected"],
    ["a backfill", ["backfill", "--from", "2020-05-28", "--to", "2020-05-29"], "engine started"],
  ])("that is removed under %s is a fault of the storage, not of the data", async (_name, args, moment) => {
    const { environment, settings } = await goodWorkspace();
    await putLargeFile(settings.zones.raw, 24_000);
    const running = start(args, { ...environment, TEST_FAILPOINT: moment });
    await running.stoodAt(moment);
    await rm(settings.duckdb.tempDirectory, { recursive: true });
    running.kill("SIGCONT");
    const { code, stderr } = await running.ended;
    expect(stderr).toContain("STORAGE_FAILED");
    expect(stderr).toContain("DUCKDB_TEMP_DIRECTORY");
    expect(code).toBe(4);
    expect(await readTable(settings, "SELECT * FROM publications")).toEqual([]);
    expect(await pipeline(args, environment)).toMatchObject({ code: 0 });
  });
});
