import { execFileSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "@jest/globals";
import { undone } from "../../src/zones/replace-partition.js";
import { query } from "../duckdb.js";
import { expectFailure, goodWorkspace, HEADER, LINE, visible } from "../end-to-end/failing.js";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { putFile } from "../storage.js";
import { fingerprint, makeWorkspace } from "../workspace.js";

describe("a raw zone", () => {
  it("with a path that the engine cannot open has it in the message", async () => {
    const workspace = await goodWorkspace();
    await putFile(workspace.raw, "a\\*.csv", `${HEADER}\n${LINE}\n`);
    await expectFailure(workspace, "RAW_FILE_UNREADABLE", ["vouchers/a\\*.csv: its path has a backslash"]);
  });

  it("with a link that leads nowhere, or a pipe, has it in the message, unless its name is that of an ignored file", async () => {
    const workspace = await goodWorkspace();
    for (const name of ["lost.csv", "README"]) await symlink("/no/such/file", path.join(workspace.raw, name));
    await symlink("loop.parquet", path.join(workspace.raw, "loop.parquet"));
    execFileSync("mkfifo", [path.join(workspace.raw, "pipe.csv")]);
    const message = await expectFailure(workspace, "RAW_FILE_UNREADABLE", [
      "vouchers/lost.csv: it is a broken link",
      "vouchers/loop.parquet: it is a broken link",
      "vouchers/pipe.csv: it is not a regular file",
    ]);
    expect(message).not.toContain("README");
  });
});

describe("raw files that are unusual, but valid", () => {
  it("are found behind symbolic links", async () => {
    const { settings, folder } = await makeWorkspace();
    const elsewhere = path.join(folder, "elsewhere");
    await putVouchers(elsewhere, [voucher()]);
    await putVouchers(settings.zones.raw, [voucher()]);
    await symlink(path.join(elsewhere, "vouchers"), path.join(settings.zones.raw, "vouchers/linked"));
    const { inputs, measures } = await run(settings);
    expect(inputs.map(({ path: file }) => file)).toEqual([
      "vouchers/linked/part.parquet",
      "vouchers/part.parquet",
    ]);
    expect(measures["measures.row_accounting"]).toMatchObject([{ curated: "2" }]);
  });
});

describe("names that look like file patterns", () => {
  it("are names, of files and of folders", async () => {
    const { settings, folder } = await makeWorkspace();
    const raw = path.join(folder, "raw[1]*?");
    const names = [
      "ab.csv",
      "a*.csv",
      "a?.csv",
      "[ab]b.csv",
      "**.csv",
      "d*/a.csv",
      "dx/a.csv",
      "{a,b}.csv",
      "!a.csv",
    ];
    for (const name of names) {
      const file = path.join(raw, "vouchers", name);
      await mkdir(path.dirname(file), { recursive: true });
      await writeFile(file, `${HEADER}\n${LINE}\n${LINE.replace("7", "")}\n`);
      await putVouchers(
        raw,
        [voucher(), voucher({ total_orders: "" })],
        `vouchers/${name.replace(".csv", ".parquet")}`,
      );
    }
    await writeFile(path.join(raw, "vouchers/.hidden.csv"), "not read");
    await writeFile(path.join(raw, "vouchers/d*/z?.csv.gz"), gzipSync(`${HEADER}\n${LINE}\n`));
    const moved = {
      ...settings,
      zones: { ...settings.zones, raw, curated: path.join(folder, "cur*ted[2]") },
    };
    const { measures } = await run(moved);
    expect(measures["measures.row_accounting"]).toEqual([
      { rows_read: "37", rejected: "18", out_of_scope: "0", curated: "19" },
    ]);
    const rejected = await query(
      `SELECT source_file FROM read_parquet('${folder}/cur[*]ted[[]2]/vouchers_rejected/*/data.parquet')`,
    );
    expect(rejected.map(({ source_file }) => source_file).sort()).toEqual(
      names.flatMap((name) => [`vouchers/${name}`, `vouchers/${name.replace(".csv", ".parquet")}`]).sort(),
    );
  });
});

describe("a zone", () => {
  it("that is a file stops the run, and the message names it", async () => {
    const workspace = await goodWorkspace();
    const file = path.join(workspace.folder, "file");
    await writeFile(file, "");
    const settings = { ...workspace.settings, zones: { ...workspace.settings.zones, provision: file } };
    await expectFailure(workspace, "ZONE_NOT_USABLE", [file], settings);
  });

  (existsSync("/proc") ? it : it.skip)("in which nothing can be made stops the run", async () => {
    const workspace = await goodWorkspace();
    const settings = {
      ...workspace.settings,
      zones: { ...workspace.settings.zones, curated: "/proc/curated" },
    };
    await expectFailure(workspace, "ZONE_NOT_USABLE", ["/proc/curated"], settings);
  });

  it("gets its old files back if the last of several commits fails", async () => {
    const workspace = await goodWorkspace();
    await putVouchers(workspace.settings.zones.raw, [voucher({ voucher_amount: "1" })]);
    // A file where the folder of the last table would be: everything else is committed before.
    const table = path.join(workspace.settings.zones.provision, "voucher_recency_most_used");
    await rm(table, { recursive: true });
    await writeFile(table, "in the way");
    await expectFailure({ ...workspace, before: await visible(workspace) }, "ZONE_NOT_USABLE", ["provision"]);
  });
});

describe("zones", () => {
  it("that are the same folder are refused", async () => {
    const workspace = await goodWorkspace();
    const { zones } = workspace.settings;
    const settings = { ...workspace.settings, zones: { ...zones, provision: `${zones.curated}/../curated` } };
    await expectFailure(workspace, "INVALID_SETTINGS", [zones.curated], settings);
  });

  it("are refused if one lies in a folder that a run sweeps, before anything is removed", async () => {
    const workspace = await goodWorkspace();
    const { zones } = workspace.settings;
    const raw = `${zones.curated}/vouchers/execution_date=2020-05-29T000000/raw`;
    await putVouchers(raw, [voucher()]);
    // Not the database: SQLite tidies up its files whenever the connection of the run before is collected.
    const zonesNow = () => Promise.all([zones.curated, zones.provision].map(fingerprint));
    const before = await zonesNow();
    const settings = { ...workspace.settings, zones: { ...zones, raw } };
    await expect(run(settings)).rejects.toMatchObject({
      code: "INVALID_SETTINGS",
      message: expect.stringContaining(`RAW_ZONE ${raw} lies in CURATED_ZONE ${zones.curated}`),
    });
    expect(await zonesNow()).toEqual(before);
  });

  it("are not read as raw through a link", async () => {
    const workspace = await goodWorkspace();
    const { curated, raw } = workspace.settings.zones;
    await symlink(curated, path.join(workspace.raw, "again"));
    await expectFailure(workspace, "INVALID_SETTINGS", [`vouchers/again in RAW_ZONE ${raw}`, curated]);
    await rm(path.join(workspace.raw, "again"));
    await rename(workspace.raw, path.join(workspace.folder, "elsewhere"));
    await symlink(`${curated}/vouchers`, workspace.raw);
    await expectFailure(workspace, "INVALID_SETTINGS", [`vouchers in RAW_ZONE ${raw}`, curated]);
  });
});

/** A folder of another file system than that of temporary files; undefined if this machine has none. */
const OTHER_DISK =
  existsSync("/dev/shm") && statSync("/dev/shm").dev !== statSync(os.tmpdir()).dev ? "/dev/shm" : undefined;

(OTHER_DISK === undefined ? describe.skip : describe)("another file system", () => {
  const linkToOtherDisk = async (place: string) => {
    const other = await mkdtemp(path.join(OTHER_DISK ?? "", "voucher-pipeline-test-"));
    await rm(place, { recursive: true, force: true });
    await symlink(other, place);
    return other;
  };

  it.each([
    ["a table", "vouchers"],
    ["a partition", "vouchers/execution_date=2020-05-29T000000"],
    ["the staged files", "_staging"],
  ])(
    "below the folder of %s stops the run before it reads, and the message names it",
    async (_what, name) => {
      const workspace = await goodWorkspace();
      await putFile(workspace.raw, "unread.csv", "not read");
      const folder = path.join(workspace.settings.zones.curated, name);
      const other = await linkToOtherDisk(folder);
      const words = [
        `${folder} (it leads to ${other}) is on another file system than`,
        "(EXDEV)",
        "the whole zone",
      ];
      const failure: unknown = await run(workspace.settings).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "ZONE_NOT_USABLE" });
      for (const word of words) expect((failure as Error).message).toContain(word);
      expect(await fingerprint(other)).toEqual({});
      await rm(other, { recursive: true });
    },
  );

  it("is allowed as a whole zone", async () => {
    const { settings } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher()]);
    const other = await linkToOtherDisk(settings.zones.curated);
    await run(settings);
    await run(settings);
    expect(Object.keys(await fingerprint(other))).toContain(
      "vouchers/execution_date=2020-05-29T000000/data.parquet",
    );
    await rm(other, { recursive: true });
  });
});

describe("a commit that fails, and whose undo fails, too", () => {
  it("reports the first failure, together with the other fault", async () => {
    const first = Object.assign(new Error("EXDEV: cross-device link"), { code: "EXDEV" });
    const fault = await undone(() => Promise.reject(new Error("EBUSY: rmdir")), first);
    expect(fault).toMatchObject({
      code: "EXDEV",
      message: "EXDEV: cross-device link; then the undo also failed: EBUSY: rmdir",
      cause: first,
    });
    expect(await undone(() => Promise.resolve(), first)).toBe(first);
  });
});

describe("a failed first run", () => {
  it("removes the folders that it created", async () => {
    const { settings, folder } = await makeWorkspace();
    await putVouchers(settings.zones.raw, [voucher({ timestamp: "2021-01-01" })]);
    const zones = {
      ...settings.zones,
      curated: path.join(folder, "a/b/curated"),
      provision: path.join(folder, "a/provision"),
    };
    await expect(run({ ...settings, zones })).rejects.toMatchObject({ code: "AUDIT_FAILED" });
    expect(await fingerprint(path.join(folder, "a"))).toEqual({});
    expect(existsSync(path.join(folder, "a"))).toBe(false);
  });
});

describe("the consumption database", () => {
  it("that is another kind of file stops the run before it does anything", async () => {
    const { settings, folder } = await makeWorkspace();
    const file = path.join(folder, "notes.txt");
    await writeFile(file, "this is no database, but it is long enough to look like one".repeat(40));
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run({ ...settings, consumptionUrl: `sqlite:${file}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining(file),
    });
    expect(await fingerprint(settings.zones.curated)).toEqual({});
  });

  it.each<[string, (folder: string) => string]>([
    ["a folder", (folder) => folder],
    ["in a folder that is a file", (folder) => path.join(folder, "file/c.db")],
  ])("that is %s is refused, and the message names the setting", async (_fault, fileOf) => {
    const { settings, folder } = await makeWorkspace();
    await writeFile(path.join(folder, "file"), "");
    await putVouchers(settings.zones.raw, [voucher()]);
    await expect(run({ ...settings, consumptionUrl: `sqlite:${fileOf(folder)}` })).rejects.toMatchObject({
      code: "CONSUMPTION_NOT_USABLE",
      message: expect.stringContaining("CONSUMPTION_URL"),
    });
  });
});

describe("two runs", () => {
  it("of the same date exclude each other under other names of the same database", async () => {
    const workspace = await goodWorkspace();
    const link = path.join(workspace.folder, "link.db");
    await symlink(workspace.settings.consumptionUrl.slice("sqlite:".length), link);
    const other = { ...workspace.settings, consumptionUrl: `sqlite:${link}` };
    const outcomes = await Promise.allSettled([run(workspace.settings), run(other)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });
});
