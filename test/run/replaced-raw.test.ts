import {
  copyFile,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import path from "node:path";
import { beforeEach, describe, expect, it } from "@jest/globals";
import { loadSqlVersion } from "../../src/models/load.js";
import { findRawFiles, readingUnchanged } from "../../src/run/raw-input.js";
import { openZones } from "../../src/zones/open-zones.js";
import { start } from "../cli/command.js";
import { readTable } from "../consumption/reading.js";
import { HEADER, LINE } from "../end-to-end/failing.js";
import { makeWorkspace, type Workspace } from "../workspace.js";
import { EXECUTION_DATE } from "./running.js";

const GOOD = `${HEADER}\n${LINE}\n`;
/** Another voucher of the same size. */
const OTHER = GOOD.replace("2640", "9999");

let workspace: Workspace;
let raw: string;
let file: string;
beforeEach(async () => {
  workspace = await makeWorkspace();
  raw = path.join(workspace.settings.zones.raw, "vouchers");
  file = path.join(raw, "a.csv");
  await mkdir(raw, { recursive: true });
  await writeFile(file, GOOD);
});

/** Gives a file another content and leaves its size and time of modification. */
async function overwrite(place: string, content: string): Promise<void> {
  const { atime, mtime } = await stat(place);
  await writeFile(place, content);
  await utimes(place, atime, mtime);
}

/** Replaces a file by another one of the same size and time of modification. */
async function replace(place: string, content: string): Promise<void> {
  const { atime, mtime } = await stat(place);
  await writeFile(`${place}.new`, content);
  await utimes(`${place}.new`, atime, mtime);
  await rename(`${place}.new`, place);
}

async function reading(work: () => Promise<unknown>): Promise<unknown> {
  const { settings } = workspace;
  const zones = await openZones(settings);
  const version = await loadSqlVersion(settings.sqlDirectory, settings.sqlVersion);
  const inputs = await findRawFiles({ version, zones });
  return readingUnchanged({ signal: new AbortController().signal, zones }, inputs, work);
}

const CHANGED = { code: "RAW_FILES_CHANGED", message: expect.stringContaining("vouchers/a.csv") };

describe("a raw file that keeps its size and time while it is read", () => {
  it.each<[string, () => Promise<void>]>([
    ["is overwritten", () => overwrite(file, OTHER)],
    ["is replaced", () => replace(file, OTHER)],
    [
      "is overwritten and then written back",
      async () => {
        await overwrite(file, OTHER);
        await overwrite(file, GOOD);
      },
    ],
    [
      "is moved away for another and then moved back",
      async () => {
        await rename(file, path.join(raw, "_a"));
        await writeFile(file, OTHER);
        await rename(path.join(raw, "_a"), file);
      },
    ],
    [
      "is kept by a second name, replaced, and then put back",
      async () => {
        await link(file, path.join(raw, "_a"));
        await replace(file, OTHER);
        await rename(path.join(raw, "_a"), file);
      },
    ],
  ])("is detected if it %s", async (_what, change) => {
    await expect(reading(change)).rejects.toMatchObject(CHANGED);
  });

  it.each<[string, string, string]>([
    ["a link to it", "a.csv", "one.csv"],
    ["a link to its folder", "linked", "."],
  ])("is detected if %s is turned to another and back", async (_what, name, target) => {
    const [one, other] = [path.join(workspace.folder, "one"), path.join(workspace.folder, "other")];
    for (const folder of [one, other]) await mkdir(folder);
    for (const copy of ["one.csv", "a.csv"]) await copyFile(file, path.join(one, copy));
    for (const copy of ["one.csv", "a.csv"]) await writeFile(path.join(other, copy), OTHER);
    await unlink(file);
    const linked = path.join(raw, name);
    const turn = async (folder: string) => {
      await rm(linked, { force: true });
      await symlink(path.join(folder, target), linked);
    };
    await turn(one);
    const turnAndBack = async () => {
      await turn(other);
      await turn(one);
    };
    await expect(reading(turnAndBack)).rejects.toMatchObject({
      code: "RAW_FILES_CHANGED",
      message: expect.stringMatching(/vouchers\/.*a\.csv/),
    });
    expect(await reading(() => readFile(linked).catch(() => "read"))).toBeDefined();
  });

  it("is not reported if others read it, or files arrive next to it", async () => {
    const read = async () => {
      await writeFile(path.join(raw, "b.csv"), GOOD);
      return readFile(file, "utf8");
    };
    expect(await reading(read)).toBe(GOOD);
  });
});

describe("a run whose raw file is replaced by one of the same size and time", () => {
  it.each(["raw files found", "raw files inspected", "curated.vouchers: written"])(
    "at the point '%s' ends with 4, names the file, and publishes nothing",
    async (point) => {
      const command = start(["-e", EXECUTION_DATE], { ...workspace.environment, TEST_FAILPOINT: point });
      await command.stoodAt(point);
      await replace(file, OTHER);
      command.kill("SIGCONT");
      expect(await command.ended).toMatchObject({
        code: 4,
        stderr: expect.stringMatching(/error RAW_FILES_CHANGED: .*run again:\n {2}vouchers\/a\.csv/),
      });
      expect(await readTable(workspace.settings, "SELECT * FROM publications")).toEqual([]);
    },
  );
});
