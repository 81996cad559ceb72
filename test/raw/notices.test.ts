import { link, mkdir, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import { ignoredFilesOf, sameBytesInWords } from "../../src/raw/file-notices.js";
import { findSameBytes } from "../../src/raw/same-bytes.js";
import { openLocalZone } from "../../src/zones/folder-zone.js";
import type { ZoneFile } from "../../src/zones/zone.js";
import { makeFolder } from "../workspace.js";

function fileOf(name: string): ZoneFile {
  return { path: `vouchers/${name}`, uri: name, bytes: 1, version: "", identity: "" };
}

describe("a raw file that is ignored because of its name", () => {
  it.each([
    ["a.Csv", "rename it to a.csv"],
    ["a.csv ", "rename it to a.csv"],
    ["a.CSV.GZ", "rename it to a.csv.gz"],
    ["a.csv.gzip", "rename it to a.csv.gz"],
    ["a.csv000", "rename it to a-000.csv"],
    ["a.csv.12", "rename it to a-12.csv"],
    ["a.PQ", "rename it to a.parquet"],
    ["a.parquet.zst", "rename it to a.parquet"],
    ["a.tsv.gz", "write it as CSV with commas, in a file *.csv"],
    ["a.csv.zip", "unpack it, or pack it with gzip as *.csv.gz"],
    ["a.jsonl", "write it as CSV or Parquet"],
    ["a.csv.filepart", "it looks like an unfinished file or a backup; finish it or move it away"],
    ["a.csv~", "it looks like an unfinished file or a backup; finish it or move it away"],
    ["part-00000", "if it is CSV or Parquet, rename it to end in .csv or .parquet; otherwise move it away"],
  ])("is in the message with its remedy: %s", (name, remedy) => {
    expect(ignoredFilesOf([fileOf(name)]).first).toEqual([{ path: `vouchers/${name}`, remedy }]);
  });
});

describe("files with the same bytes", () => {
  it("are copies, second names and links, and not files of the same size or without bytes", async () => {
    const folder = await makeFolder();
    const raw = path.join(folder, "vouchers");
    await mkdir(raw);
    const long = "x".repeat(200_000);
    for (const [name, content] of Object.entries({
      "a.csv": `${long}1`,
      "b.csv": `${long}1`,
      "other.csv": `${long}2`,
      "c.csv": "short",
      "d.csv": "SHORT",
      "empty.csv": "",
      "void.csv": "",
    }))
      await writeFile(path.join(raw, name), content);
    await link(path.join(raw, "c.csv"), path.join(raw, "second.csv"));
    await symlink(path.join(raw, "d.csv"), path.join(raw, "link.csv"));
    await symlink("nowhere", path.join(raw, "broken.csv"));
    const zone = await openLocalZone(folder);
    const groups = await findSameBytes(zone, await zone.list("vouchers"));
    expect(groups.map(({ paths }) => paths.map((name) => path.basename(name))).sort()).toEqual([
      ["a.csv", "b.csv"],
      ["c.csv", "second.csv"],
      ["d.csv", "link.csv"],
    ]);
  });

  it("are one sentence, even if there are many", () => {
    const groups = Array.from({ length: 7 }, (_, set) => ({
      paths: Array.from({ length: 6 }, (_, copy) => `${set.toString()}/${copy.toString()}.csv`),
    }));
    const sentence = sameBytesInWords(groups);
    expect(sentence).toContain("0/0.csv, 0/1.csv, 0/2.csv, 0/3.csv, 0/4.csv and 1 more; 1/0.csv");
    expect(sentence).toContain("; and 2 more sets of copies; remove the copies");
  });
});
