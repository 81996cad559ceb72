import { execFileSync } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { afterEach, describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/command.js";
import { readConsumption, readTable } from "../consumption/reading.js";
import { query, writeParquet } from "../duckdb.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { fingerprint, makeFolder, makeWorkspace } from "../workspace.js";
import { EXECUTION_DATE, run } from "./running.js";

const mounted: string[] = [];

afterEach(unmountAll);

function unmountAll(): void {
  // Lazily: SQLite's files stay open until the garbage collector comes by.
  for (const folder of mounted.splice(0)) execFileSync("umount", ["--lazy", folder]);
}

/** A file system of the given size, in bytes or as the options of tmpfs say, in memory. Only root can make one. */
async function smallDisk(size: string): Promise<string> {
  const folder = await makeFolder();
  const options = size.includes("=") ? size : `size=${size}`;
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
  mounted.push(folder);
  return folder;
}

const canMount = await smallDisk("64k")
  .then(() => true)
  .catch(() => false);
unmountAll();

/** Where no file system can be mounted the tests are skipped, and reported as skipped. */
(canMount ? describe : describe.skip)("a full disk", () => {
  it.each(["curated", "provision"] as const)(
    "under the %s zone ends the run with nothing changed",
    async (zone) => {
      const { settings: roomy } = await makeWorkspace();
      const settings = { ...roomy, zones: { ...roomy.zones, [zone]: await smallDisk("128k") } };
      await putVouchers(settings.zones.raw, times(3, voucher()));
      await run(settings);
      const visible = async () => [
        await fingerprint(settings.zones.curated),
        await fingerprint(settings.zones.provision),
        await readConsumption(settings),
      ];
      const before = await visible();

      // A country of its own for each voucher: no file of any zone stays small.
      const columns = Object.entries(voucher({ country_code: null })).map(([name, value]) =>
        value === null ? `md5(i::VARCHAR) AS ${name}` : `'${value}' AS "${name}"`,
      );
      await writeParquet(
        path.join(settings.zones.raw, "vouchers/large.parquet"),
        `SELECT ${columns.join(", ")} FROM range(20000) numbers(i)`,
      );
      await expect(run(settings)).rejects.toMatchObject({
        code: "STORAGE_FULL",
        message: expect.stringContaining("full"),
      });
      expect(await visible()).toEqual(before);
    },
  );

  it("is a warning of a doctor before", async () => {
    const { environment } = await makeWorkspace();
    const { code, stdout } = await pipeline(["doctor"], {
      ...environment,
      CURATED_ZONE: await smallDisk("1m"),
    });
    expect(stdout).toMatch(
      /^✗ failed +disk +STORAGE_FULL: .* \(curated\) has 0\.0 GiB free, less than 1\.0 GiB/m,
    );
    expect(code).toBe(3);
  });

  it("under the temporary folder ends the run with nothing written", async () => {
    const { settings: roomy } = await makeWorkspace();
    const settings = {
      ...roomy,
      duckdb: {
        ...roomy.duckdb,
        memoryLimit: "60MB",
        threads: 1,
        tempDirectory: path.join(await smallDisk("1m"), "temp"),
      },
    };
    await mkdir(path.join(settings.zones.raw, "vouchers"), { recursive: true });
    const columns = Object.entries(voucher()).map(([name, value]) =>
      name === "country_code" ? "md5(i::VARCHAR) AS country_code" : `'${value}' AS "${name}"`,
    );
    await query(
      `COPY (SELECT ${columns.join(", ")} FROM range(1500000) numbers(i))
       TO '${settings.zones.raw}/vouchers/large.parquet' (FORMAT parquet)`,
    );
    await expect(run(settings)).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect(await fingerprint(settings.zones.curated)).toEqual({});
  });

  it("under the consumption database ends the run with the zones as they were", async () => {
    const { settings: roomy } = await makeWorkspace();
    const settings = {
      ...roomy,
      consumptionUrl: `sqlite:${path.join(await smallDisk("768k"), "consumption.db")}`,
    };
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await run(settings);
    const before = [await fingerprint(settings.zones.curated), await fingerprint(settings.zones.provision)];
    const countries = Array.from({ length: 3000 }, (_, index) =>
      voucher({ country_code: `country ${index}` }),
    );
    await putVouchers(settings.zones.raw, countries);
    await expect(run(settings)).rejects.toMatchObject({ code: "STORAGE_FULL" });
    expect([await fingerprint(settings.zones.curated), await fingerprint(settings.zones.provision)]).toEqual(
      before,
    );
  });

  it("under the temporary folder without space for a folder ends the run before it has begun", async () => {
    const { settings: roomy } = await makeWorkspace();
    const settings = {
      ...roomy,
      duckdb: { ...roomy.duckdb, tempDirectory: path.join(await smallDisk("nr_inodes=1"), "temp") },
    };
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await expect(run(settings)).rejects.toMatchObject({
      code: "STORAGE_FULL",
      message: expect.stringContaining("DUCKDB_TEMP_DIRECTORY"),
    });
    expect(await fingerprint(settings.zones.curated)).toEqual({});
  });

  it("without space for the lock of another execution date ends its run with nothing written", async () => {
    const { settings: roomy } = await makeWorkspace();
    const disk = await smallDisk("size=4m,nr_inodes=64");
    const settings = { ...roomy, consumptionUrl: `sqlite:${path.join(disk, "consumption.db")}` };
    await putVouchers(settings.zones.raw, times(3, voucher()));
    await run(settings);
    const before = await readConsumption(settings);
    await fillWithFiles(disk);
    await expect(run(settings, "2020-05-30")).rejects.toMatchObject({ code: "STORAGE_FULL" });
    await makeRoom(disk);
    expect(await readConsumption(settings)).toEqual(before);
  });

  it("without space for SQLite's files next to its database ends a run with nothing written", async () => {
    const { settings: roomy, environment } = await makeWorkspace();
    const disk = await smallDisk("size=4m,nr_inodes=64");
    const consumptionUrl = `sqlite:${path.join(disk, "consumption.db")}`;
    const settings = { ...roomy, consumptionUrl };
    await putVouchers(settings.zones.raw, times(3, voucher()));
    // In a process of its own, whose end closes the database: this one would keep its files open.
    const own = { ...environment, CONSUMPTION_URL: consumptionUrl };
    expect(await pipeline(["-e", EXECUTION_DATE], own)).toMatchObject({ code: 0 });
    await fillWithFiles(disk);
    expect(await pipeline(["-e", EXECUTION_DATE], own)).toMatchObject({
      code: 4,
      stderr: expect.stringContaining("STORAGE_FULL"),
    });
    await makeRoom(disk);
    expect(await readTable(settings, "SELECT outcome FROM pipeline_runs")).toEqual([
      { outcome: "succeeded" },
    ]);
  });
});

/** For what SQLite keeps beside a database that is open: whether it is open still, the garbage collector decides. */
async function makeRoom(disk: string): Promise<void> {
  for (const index of [0, 1, 2]) await rm(path.join(disk, `filler-${index.toString()}`), { force: true });
}

/** Makes empty files until no other can be made. */
async function fillWithFiles(folder: string): Promise<void> {
  for (let index = 0; ; index += 1) {
    try {
      await writeFile(path.join(folder, `filler-${index}`), "");
    } catch {
      return;
    }
  }
}
