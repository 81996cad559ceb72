import { describe, expect, it } from "@jest/globals";
import { manifestText, sha256OfText } from "../../src/zones/manifest.js";
import { openZones } from "../../src/zones/open-zones.js";
import { sha256Of, STAGING } from "../../src/zones/zone.js";
import { getFile, hashesOf, listFiles, putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";

const PARTITION = { table: "vouchers", partitionKey: "2020-05-29T000000" };
const FOLDER = "vouchers/execution_date=2020-05-29T000000";
const RUN = "2020-05-29T000000-abc";
const EARLIER_RUN = "2020-05-29T000000-0ld";

/** What a partition can be made of: the texts of its files, by their names. */
const ONE = { "data.parquet": "one" };
const MANY = { "part-0.parquet": "first of many", "part-1.parquet": "second of many" };
type Content = Readonly<Record<string, string>>;

/** A zone, and ways to stage files in it and to read them as readers do. */
async function makeZone() {
  const { settings } = await makeWorkspace();
  const { curated: zone } = await openZones(settings);
  const folder = settings.zones.curated;
  const stage = async (content: Content, run = RUN) => {
    const { path } = await zone.stage(run, PARTITION);
    for (const [name, text] of Object.entries(content))
      await putFile(folder, path.replace("data.parquet", name), text);
  };
  const texts = async () => {
    const { files = [] } = (await zone.find(PARTITION)) ?? {};
    return Promise.all(files.map(async ({ path }) => (await getFile(folder, path)).toString()));
  };
  return { folder, zone, stage, texts };
}

/** A zone with files in the partition, and nothing in staging. */
async function makeZoneWithPartition(content: Content) {
  const made = await makeZone();
  await made.stage(content, EARLIER_RUN);
  const { finish } = await made.zone.commit(EARLIER_RUN, PARTITION);
  await finish();
  await made.zone.sweep(STAGING, PARTITION.partitionKey);
  return made;
}

const namesBelow = async (folder: string, below: string) =>
  (await listFiles(folder)).filter((name) => name.startsWith(`${below}/`));

describe.each([
  ["one file by one", ONE, { "data.parquet": "another" }],
  ["one file by many", ONE, MANY],
  ["many files by one", MANY, ONE],
  ["many files by many", MANY, { "part-0.parquet": "others", "part-1.parquet": "of the same names" }],
])("a commit that replaces %s", (_what, before: Content, after: Content) => {
  it("shows the new files at once, and the old ones until then", async () => {
    const { zone, stage, texts } = await makeZoneWithPartition(before);
    await stage(after);
    expect(await texts()).toEqual(Object.values(before));
    const { finish } = await zone.commit(RUN, PARTITION);
    expect(await texts()).toEqual(Object.values(after));
    await finish();
    expect(await texts()).toEqual(Object.values(after));
  });

  it("leaves only the new files in the folder at its end", async () => {
    const { folder, zone, stage } = await makeZoneWithPartition(before);
    await putFile(folder, `${FOLDER}/stranger.parquet`, "a stranger");
    await putFile(folder, `${FOLDER}/2020-05-29T000000-dead/part-0.parquet`, "of a run that was killed");
    await stage(after);
    const { finish } = await zone.commit(RUN, PARTITION);
    await finish();
    const names = Object.keys(after);
    expect(await namesBelow(folder, FOLDER)).toEqual(
      names.includes("data.parquet")
        ? [`${FOLDER}/data.parquet`]
        : [...names.map((name) => `${FOLDER}/${RUN}/${name}`), `${FOLDER}/_manifest.json`],
    );
  });

  it("leaves the partition to another run that has swept its staging", async () => {
    const { folder, zone, stage } = await makeZoneWithPartition(before);
    await stage(after);
    const { undo, finish } = await zone.commit(RUN, PARTITION);
    await zone.sweep(STAGING, PARTITION.partitionKey);
    const made = await hashesOf(folder);
    await finish();
    await undo();
    expect(await hashesOf(folder)).toEqual(made);
  });

  it("restores everything when it is undone, including foreign files", async () => {
    const { folder, zone, stage, texts } = await makeZoneWithPartition(before);
    await putFile(folder, `${FOLDER}/stranger.parquet`, "a stranger");
    const was = await hashesOf(folder);
    await stage(after);
    const { undo } = await zone.commit(RUN, PARTITION);
    await undo();
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await texts()).toEqual(Object.values(before));
    expect(await hashesOf(folder)).toEqual(was);
  });

  it("changes no other partition", async () => {
    const { folder, zone, stage } = await makeZoneWithPartition(before);
    const neighbours = [
      "vouchers/execution_date=2020-05-28T000000/data.parquet",
      "vouchers/execution_date=2020-05-29T000000x/_manifest.json",
      `vouchers_rejected/execution_date=2020-05-29T000000/${RUN}/part-0.parquet`,
    ];
    for (const name of neighbours) await putFile(folder, name, name);
    await stage(after);
    const { finish } = await zone.commit(RUN, PARTITION);
    await finish();
    for (const name of neighbours) expect((await getFile(folder, name)).toString()).toBe(name);
  });
});

describe.each([
  ["one file", ONE],
  ["many files", MANY],
])("a commit of %s", (_what, content) => {
  it("that is undone leaves nothing if there was nothing", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage(content);
    const { undo } = await zone.commit(RUN, PARTITION);
    await undo();
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await hashesOf(folder)).toEqual({});
  });

  it("that fails leaves the partition as it was", async () => {
    const { folder, zone } = await makeZoneWithPartition(content);
    const before = await hashesOf(folder);
    await zone.stage(RUN, PARTITION);
    await expect(zone.commit(RUN, PARTITION)).rejects.toMatchObject({ code: "STORAGE_FAILED" });
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await hashesOf(folder)).toEqual(before);
  });
});

describe("a staged partition", () => {
  it("is listed by path, without the side files of a cluster", async () => {
    const { zone, stage } = await makeZone();
    await stage({
      "part-1.parquet": "second",
      "part-0.parquet": "first",
      _SUCCESS: "",
      "_temporary/0/part-2.parquet": "unfinished",
      ".part-0.parquet.crc": "a checksum",
    });
    const staged = await zone.staged(RUN, PARTITION);
    expect(staged.map(({ path, bytes }) => [path, bytes])).toEqual([
      [`_staging/${RUN}/${FOLDER}/part-0.parquet`, 5],
      [`_staging/${RUN}/${FOLDER}/part-1.parquet`, 6],
    ]);
    await zone.commit(RUN, PARTITION);
    const found = await zone.find(PARTITION);
    expect(found?.files.map(({ path }) => path)).toEqual([
      `${FOLDER}/${RUN}/part-0.parquet`,
      `${FOLDER}/${RUN}/part-1.parquet`,
    ]);
  });

  it("is known by the hash of the manifest before the commit", async () => {
    const { zone, stage } = await makeZone();
    await stage(MANY);
    const text = manifestText(RUN, PARTITION, await zone.staged(RUN, PARTITION));
    await zone.commit(RUN, PARTITION);
    const found = await zone.find(PARTITION);
    expect(found).toMatchObject({ head: { path: `${FOLDER}/_manifest.json` } });
    expect(found && (await sha256Of(zone, found.head))).toBe(sha256OfText(text));
  });
});

describe("a manifest", () => {
  const place = `${FOLDER}/_manifest.json`;
  const naming = (...files: object[]) => JSON.stringify({ version: 1, files });

  it.each([
    ["is no JSON", "{", "PARTITION_MISSING", "is not a readable manifest"],
    [
      "is of a version to come",
      '{"version":2,"files":[]}',
      "PARTITION_MISSING",
      "is not a readable manifest",
    ],
    ["names no file", naming(), "PARTITION_MISSING", "is not a readable manifest"],
    [
      "names a file elsewhere",
      naming({ path: "../x", bytes: 1 }),
      "PARTITION_MISSING",
      "is not a readable manifest",
    ],
    [
      "names a file that is gone",
      naming({ path: "r/x", bytes: 1 }),
      "PARTITION_MISSING",
      "lists r/x, which does not exist",
    ],
    [
      "names a file of other bytes",
      naming({ path: "r/a", bytes: 9 }),
      "PARTITION_DIFFERS",
      "has 1 bytes instead of 9",
    ],
  ])("that %s is a fault with a remedy", async (_what, text, code, words) => {
    const { folder, zone } = await makeZone();
    await putFile(folder, `${FOLDER}/r/a`, "a");
    await putFile(folder, place, text);
    const message = expect.stringMatching(
      `${words}.*; rebuild the partition with npx pipeline run -e 2020-05-29T`,
    );
    await expect(zone.find(PARTITION)).rejects.toMatchObject({ code, message });
    const faults: string[] = [];
    expect(await zone.findAll("vouchers", (fault) => faults.push(fault.code))).toEqual([]);
    expect(faults).toEqual([code]);
  });

  it("that is faulty is replaced by the next commit, and comes back with its undo", async () => {
    const { folder, zone, stage, texts } = await makeZone();
    await putFile(folder, place, "{");
    await stage(MANY);
    const { undo } = await zone.commit(RUN, PARTITION);
    expect(await texts()).toEqual(Object.values(MANY));
    await undo();
    expect((await getFile(folder, place)).toString()).toBe("{");
  });
});

describe("the partitions of a table", () => {
  it("are found by key, each by its files", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage(MANY);
    await zone.commit(RUN, PARTITION);
    await putFile(folder, "vouchers/execution_date=2020-05-28T000000/data.parquet", "x");
    await putFile(folder, "vouchers/execution_date=2020-05-27T000000/other.parquet", "x");
    await putFile(folder, "vouchers_rejected/execution_date=2020-05-28T000000/data.parquet", "x");
    const found = await zone.findAll("vouchers", () => undefined);
    expect(found.map(({ partition, files }) => [partition.partitionKey, files.length])).toEqual([
      ["2020-05-28T000000", 1],
      ["2020-05-29T000000", 2],
    ]);
  });
});

describe("a sweep", () => {
  it("removes the staged files of its date's runs only", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage(ONE);
    const other = "_staging/2020-05-28T000000-abc/vouchers/data.parquet";
    await putFile(folder, other, "at work");
    await zone.sweep(STAGING, PARTITION.partitionKey);
    expect(await listFiles(folder)).toEqual([other]);
  });

  it("removes nothing if the lock is lost", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage(ONE);
    const before = await listFiles(folder);
    const assertLocked = () => Promise.reject(new Error("lost"));
    await expect(zone.sweep(STAGING, PARTITION.partitionKey, { assertLocked })).rejects.toThrow("lost");
    expect(await listFiles(folder)).toEqual(before);
  });

  it("removes only what was there before it checked the lock", async () => {
    const { folder, zone, stage } = await makeZone();
    await stage(ONE);
    const rival = `_staging/${PARTITION.partitionKey}-rival/vouchers/data.parquet`;
    const assertLocked = () => putFile(folder, rival, "at work");
    await zone.sweep(STAGING, PARTITION.partitionKey, { assertLocked });
    expect(await listFiles(folder)).toEqual([rival]);
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

  it("are none if the folder does not exist", async () => {
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
