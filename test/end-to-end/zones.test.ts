import { describe, expect, it } from "@jest/globals";
import { openZones } from "../../src/zones/open.js";
import { STAGING } from "../../src/zones/zone.js";
import { getFile, hashesOf, listFiles, putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";

const PARTITION = { table: "vouchers", partitionKey: "2020-05-29T000000" };
const FOLDER = "vouchers/execution_date=2020-05-29T000000";
const RUN = "2020-05-29T000000-abc";

/** A zone, and a way to stage a file with some content in it. */
async function makeZone() {
  const { settings } = await makeWorkspace();
  const { curated: zone } = await openZones(settings);
  const folder = settings.zones.curated;
  const stage = async (content: string) => {
    const { path } = await zone.stage(RUN, PARTITION);
    await putFile(folder, path, content);
  };
  const current = async () => (await getFile(folder, `${FOLDER}/data.parquet`)).toString();
  return { folder, zone, stage, current };
}

/** A zone with a file in the partition, and nothing in staging. */
async function makeZoneWithPartition() {
  const made = await makeZone();
  await made.stage("old");
  await made.zone.commit(RUN, PARTITION);
  await made.zone.sweep(STAGING, PARTITION.partitionKey);
  return made;
}

describe("a commit", () => {
  it("shows the new file at once, and the old one until then", async () => {
    const { zone, stage, current } = await makeZoneWithPartition();
    await stage("new");
    expect(await current()).toBe("old");
    await zone.commit(RUN, PARTITION);
    expect(await current()).toBe("new");
  });

  it("that is undone gives the old file back, and what lay beside it", async () => {
    const { folder, zone, stage, current } = await makeZoneWithPartition();
    await putFile(folder, `${FOLDER}/stranger.parquet`, "a stranger");
    const before = await hashesOf(folder);
    await stage("new");
    const undo = await zone.commit(RUN, PARTITION);
    expect(await listFiles(folder)).not.toContain(`${FOLDER}/stranger.parquet`);
    await undo();
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await current()).toBe("old");
    expect(await hashesOf(folder)).toEqual(before);
  });

  it("that fails leaves the partition as it was", async () => {
    const { folder, zone } = await makeZoneWithPartition();
    const before = await hashesOf(folder);
    await zone.stage(RUN, PARTITION);
    await expect(zone.commit(RUN, PARTITION)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await hashesOf(folder)).toEqual(before);
  });

  it("that is undone leaves nothing where nothing was", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage("new");
    await (
      await zone.commit(RUN, PARTITION)
    )();
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await hashesOf(folder)).toEqual({});
  });
});

describe("a sweep", () => {
  it("removes what runs of its date have staged, and nothing of others", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage("left");
    const other = "_staging/2020-05-28T000000-abc/vouchers/data.parquet";
    await putFile(folder, other, "at work");
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await listFiles(folder)).toEqual([other]);
  });
});

describe("the files of a zone", () => {
  it("are listed in the order of their paths, at any depth, without hidden and internal ones", async () => {
    const { folder, zone } = await makeZone();
    const names = [
      "b.csv",
      "a/z.csv",
      "a/_skip.csv",
      ".git/x.csv",
      "_tmp/x.csv",
      "a.csv",
      "Ä b+c%20#&'(x).csv",
      "ab/c.csv",
    ];
    for (const name of names) await putFile(folder, `vouchers/${name}`, "content");
    await putFile(folder, "vouchers_of_others/d.csv", "content");
    const files = await zone.list("vouchers");
    expect(files.map(({ path }) => path)).toEqual(
      ["a.csv", "a/z.csv", "ab/c.csv", "b.csv", "Ä b+c%20#&'(x).csv"].map((name) => `vouchers/${name}`),
    );
    expect(files.map(({ bytes }) => bytes)).toEqual(files.map(() => "content".length));
  });

  it("are none where the folder is not there", async () => {
    const { zone } = await makeZone();
    expect(await zone.list("vouchers")).toEqual([]);
    expect(await zone.find(PARTITION)).toBeUndefined();
  });

  it("have another version when they have changed", async () => {
    const { folder, zone } = await makeZone();
    await putFile(folder, "vouchers/a.csv", "one");
    const [before] = await zone.list("vouchers");
    await putFile(folder, "vouchers/a.csv", "two");
    const [after] = await zone.list("vouchers");
    expect(after?.version).not.toBe(before?.version);
  });
});
