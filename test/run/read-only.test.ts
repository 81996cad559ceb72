import { execFileSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { pipeline } from "../cli/command.js";
import { putVouchers, voucher } from "../raw-vouchers.js";
import { fingerprint, makeFolder, makeWorkspace } from "../workspace.js";
import { EXECUTION_DATE } from "./running.js";

function mount(folder: string, options: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", options, "tmpfs", folder], { stdio: "ignore" });
}

async function tryToMount(): Promise<boolean> {
  try {
    const folder = await makeFolder();
    mount(folder, "size=64k");
    execFileSync("umount", [folder]);
    return true;
  } catch {
    return false;
  }
}

/** Where no file system can be mounted the tests are skipped, and reported as skipped. */
((await tryToMount()) ? describe : describe.skip)("on a file system that is read-only, after a run", () => {
  let environment: Record<string, string>;
  let folder: string;
  beforeAll(async () => {
    folder = await makeFolder();
    mount(folder, "size=64m");
    const place = (name: string) => path.join(folder, name);
    environment = {
      ...(await makeWorkspace()).environment,
      RAW_ZONE: place("raw"),
      CURATED_ZONE: place("curated"),
      PROVISION_ZONE: place("provision"),
      CONSUMPTION_URL: `sqlite:${place("consumption.db")}`,
      DUCKDB_TEMP_DIRECTORY: place("temp"),
      RUN_REPORTS: place("runs"),
    };
    await mkdir(place("temp"));
    await putVouchers(place("raw"), [voucher()]);
    expect((await pipeline(["-e", EXECUTION_DATE], environment)).code).toBe(0);
    mount(folder, "remount,ro");
  });
  afterAll(() => {
    execFileSync("umount", ["--lazy", folder]);
  });

  it("a plan and a rendered model need no write access", async () => {
    const before = await fingerprint(folder);
    const plan = await pipeline(["plan", "-e", EXECUTION_DATE, "--json"], environment);
    expect([plan.stderr, plan.code]).toEqual(["", 0]);
    const { partitions } = JSON.parse(plan.stdout) as { partitions: { replaces: object | null }[] };
    expect(partitions.filter(({ replaces }) => replaces === null)).toEqual([]);
    expect((await pipeline(["render", "raw.vouchers", "-e", EXECUTION_DATE], environment)).code).toBe(0);
    expect(await fingerprint(folder)).toEqual(before);
  });

  it("a doctor reports each read-only place", async () => {
    const { code, stdout } = await pipeline(["doctor"], environment);
    const failed = [...stdout.matchAll(/^✗ failed +(.*?) {2,}([A-Z_]+): /gm)].map(([, check, fault]) => [
      check,
      fault,
    ]);
    expect(failed.filter(([check]) => check !== "disk")).toEqual([
      ["temporary folder", "INVALID_SETTINGS"],
      ["reports", "INVALID_SETTINGS"],
      ["writing curated", "ZONE_NOT_USABLE"],
      ["writing provision", "ZONE_NOT_USABLE"],
      ["rights", "CONSUMPTION_NOT_USABLE"],
    ]);
    expect(code).toBe(2);
  });
});
