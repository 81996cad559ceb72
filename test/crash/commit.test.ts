import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { openZones } from "../../src/zones/open-zones.js";
import { STAGING, type Zone } from "../../src/zones/zone.js";
import { start } from "../cli/command.js";
import { getFile, listFiles, putFile } from "../storage.js";
import { makeWorkspace, PROJECT, type Workspace } from "../workspace.js";

/*
 * A whole run of the command line commits one file for a partition; crash.test.ts kills those. Here a commit alone is killed, of one
 * file or of many, over one or many.
 */

const LIMIT_MILLISECONDS = 180_000;
const COMMITTING = path.join(PROJECT, "dist-test/commit-process.js");
const PARTITION = { table: "vouchers", partitionKey: "2020-05-29T000000" };
const FOLDER = `${PARTITION.table}/execution_date=${PARTITION.partitionKey}`;
const [EARLIER, RUN, NEXT] = ["1", "2", "3"].map((digits) => `${PARTITION.partitionKey}-${digits}`) as [
  string,
  string,
  string,
];

type Content = Readonly<Record<string, string>>;
const ONE: Content = { "data.parquet": "one" };
const ANOTHER: Content = { "data.parquet": "another" };
const MANY: Content = { "part-0.parquet": "first of many", "part-1.parquet": "second of many" };
const OTHERS: Content = { "part-0.parquet": "others", "part-1.parquet": "of the same names" };

let workspace: Workspace;
let zone: Zone;
let folder: string;

beforeAll(async () => {
  workspace = await makeWorkspace();
  ({ curated: zone } = await openZones(workspace.settings));
  folder = workspace.settings.zones.curated;
}, LIMIT_MILLISECONDS);

async function stage(run: string, content: Content): Promise<void> {
  const { path: file } = await zone.stage(run, PARTITION);
  for (const [name, text] of Object.entries(content))
    await putFile(folder, file.replace("data.parquet", name), text);
}

/** Commits as a run does that nothing disturbs, after it has swept what others have left. */
async function replaceBy(run: string, content: Content): Promise<void> {
  await zone.sweep(STAGING, PARTITION.partitionKey);
  await stage(run, content);
  const { finish } = await zone.commit(run, PARTITION);
  await finish();
  await zone.sweep(STAGING, PARTITION.partitionKey);
}

/** The texts of a partition's files, as a reader finds them. */
async function look(): Promise<string[]> {
  const { files = [] } = (await zone.find(PARTITION)) ?? {};
  return Promise.all(files.map(async ({ path: file }) => (await getFile(folder, file)).toString()));
}

function committing(end: string, failpoint: string) {
  const { table, partitionKey } = PARTITION;
  const environment = { ...workspace.environment, TEST_FAILPOINT: failpoint };
  return start([RUN, table, partitionKey, end], environment, undefined, COMMITTING);
}

describe.each([
  ["one file by one", ONE, ANOTHER],
  ["one file by many", ONE, MANY],
  ["many files by one", MANY, ONE],
  ["many files by many", MANY, OTHERS],
])("a commit that replaces %s", (_what, before, after) => {
  const [old, fresh] = [before, after].map((content) => Object.values(content));

  it.each(["finish", "undo"])(
    "and is killed before the end of its %s shows the old or the new files, and the next one ends normally",
    async (end) => {
      await replaceBy(EARLIER, before);
      await stage(RUN, after);
      const { code, stderr } = await committing(end, "*").ended;
      const points = stderr.split("\n").flatMap((line) => /^failpoint (.+)$/.exec(line)?.[1] ?? []);
      expect({ code, seen: await look() }).toEqual({ code: 0, seen: end === "undo" ? old : fresh });
      expect(points).toContain(`vouchers: ${end} begun`);
      for (const point of points) {
        await replaceBy(EARLIER, before);
        await stage(RUN, after);
        const process = committing(end, point);
        await process.stoodAt(point);
        const atPoint = await look();
        process.kill("SIGKILL");
        await process.ended;
        expect([old, fresh]).toContainEqual(atPoint);
        expect(await look()).toEqual(atPoint);
        await replaceBy(NEXT, after);
        const names = Object.keys(after);
        const expected = names.includes("data.parquet")
          ? names
          : ["_manifest.json", ...names.map((name) => `${NEXT}/${name}`)];
        expect((await listFiles(folder)).sort()).toEqual(expected.map((name) => `${FOLDER}/${name}`).sort());
        expect(await look()).toEqual(fresh);
      }
    },
    LIMIT_MILLISECONDS,
  );
});
