import { existsSync } from "node:fs";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { openLocalZone } from "../../src/zones/folder-zone.js";
import { STAGING } from "../../src/zones/zone.js";
import { makeFolder } from "../workspace.js";

const PARTITION = { table: "vouchers", partitionKey: "2020-05-29T000000" };
const RUN = "2020-05-29T000000-abc";

/** A zone, and a way to stage a file with some content in it. */
async function makeZone() {
  const folder = await makeFolder();
  const zone = await openLocalZone(folder);
  const stage = async (content: string) => {
    const { uri } = await zone.stage(RUN, PARTITION);
    await writeFile(uri, content);
  };
  const current = () =>
    readFile(path.join(folder, "vouchers/execution_date=2020-05-29T000000/data.parquet"), "utf8");
  return { folder, zone, stage, current };
}

describe("the files of a zone", () => {
  it("are listed in the order of their paths, at any depth, without hidden and internal ones", async () => {
    const { folder, zone } = await makeZone();
    for (const file of [
      "b.csv",
      "a/z.csv",
      "a/_skip.csv",
      ".git/x.csv",
      "_tmp/x.csv",
      "Z.csv",
      "a/country_code=Peru/y.csv",
      "ä.csv",
    ]) {
      await mkdir(path.join(folder, "in", path.dirname(file)), { recursive: true });
      await writeFile(path.join(folder, "in", file), "");
    }
    expect((await zone.list("in")).map((file) => file.path)).toEqual([
      "in/Z.csv",
      "in/a/country_code=Peru/y.csv",
      "in/a/z.csv",
      "in/b.csv",
      "in/ä.csv",
    ]);
  });

  it("are none if the folder does not exist", async () => {
    const { zone } = await makeZone();
    expect(await zone.list("nothing")).toEqual([]);
  });

  it("include a link that leads nowhere, so that messages can name it", async () => {
    const { folder, zone } = await makeZone();
    await mkdir(path.join(folder, "in"));
    await symlink(path.join(folder, "nowhere"), path.join(folder, "in/a.csv"));
    expect((await zone.list("in")).map((file) => file.path)).toEqual(["in/a.csv"]);
  });

  it("are found once if a link leads back into the folder", async () => {
    const { folder, zone } = await makeZone();
    await mkdir(path.join(folder, "in"));
    await writeFile(path.join(folder, "in/a.csv"), "");
    await symlink(path.join(folder, "in"), path.join(folder, "in/again"));
    expect((await zone.list("in")).map((file) => file.path)).toEqual(["in/a.csv"]);
  });
});

describe("an entry that is not a readable file", () => {
  it("is among the files of a zone, with the reason", async () => {
    const { folder, zone } = await makeZone();
    await mkdir(path.join(folder, "in/mounted.csv"), { recursive: true });
    await mkdir(path.join(folder, "in/empty"));
    await mkdir(Buffer.concat([Buffer.from(`${folder}/in/caf`), Buffer.from([0xe9])]));
    await writeFile(
      Buffer.concat([Buffer.from(`${folder}/in/`), Buffer.from([0xe9]), Buffer.from(".csv")]),
      "",
    );
    await symlink(path.join(folder, "unmounted"), path.join(folder, "in/2020"));
    expect((await zone.list("in")).map((file) => [file.path, file.problem])).toEqual([
      ["in/2020", "it is a broken link"],
      ["in/caf\ufffd/", "its name is not UTF-8"],
      ["in/mounted.csv/", "it is an empty folder"],
      ["in/\ufffd.csv", "its name is not UTF-8"],
    ]);
  });
});

describe("new folders of zones with a common parent", () => {
  it.each([["curated", "provision"] as const, ["provision", "curated"] as const])(
    "are removed if nothing was committed, in both orders of creation: %s, %s",
    async (first, second) => {
      const folder = path.join(await makeFolder(), "lake");
      const zones = {
        curated: await openLocalZone(path.join(folder, "deep/curated")),
        provision: await openLocalZone(path.join(folder, "provision")),
      };
      await zones[first].stage(RUN, PARTITION);
      await zones[second].stage(RUN, PARTITION);
      await zones.curated.sweep(STAGING, PARTITION.partitionKey);
      await zones.provision.sweep(STAGING, PARTITION.partitionKey);
      expect(existsSync(folder)).toBe(false);
    },
  );
});
