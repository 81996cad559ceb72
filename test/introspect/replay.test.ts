import { readdir } from "node:fs/promises";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { openConsumption } from "../../src/consumption/open-consumption.js";
import { readSqlVersion } from "../../src/consumption/sql-versions.js";
import { replayRun } from "../../src/introspect/replay.js";
import { hashOfTexts } from "../../src/models/load.js";
import { voucher } from "../raw-vouchers.js";
import { runOver } from "../run/running.js";
import type { Workspace } from "../workspace.js";

describe("a replay of a run whose SQL somebody has changed in the database", () => {
  let workspace: Workspace;
  let runId: string;
  let hash: string;
  let texts: Record<string, string>;

  beforeAll(async () => {
    const { report, ...made } = await runOver([voucher()]);
    workspace = made;
    runId = report.run_id;
    hash = report.sql_hash;
    texts = await inDatabase(async (consumption) =>
      Object.fromEntries((await readSqlVersion(consumption, hash)) ?? []),
    );
  });

  it.each<[string, () => Record<string, string>, string]>([
    [
      "a file above the folder",
      () => ({ ...texts, "../../../evil.sql": "" }),
      '"../../../evil.sql", which is outside',
    ],
    [
      "a file that leads out of it",
      () => ({ ...texts, "v1/../../evil.sql": "" }),
      '"v1/../../evil.sql", which is',
    ],
    [
      "a file elsewhere",
      () => ({ ...texts, "/tmp/evil.sql": "" }),
      '"/tmp/evil.sql", which is outside the folder v1',
    ],
    [
      "a file of another system",
      () => ({ ...texts, "v1\\..\\evil.sql": "" }),
      "which is outside the folder v1",
    ],
    ["a name with a NUL", () => ({ ...texts, "v1/a\0.sql": "" }), "which is outside the folder v1"],
    ["another text", () => ({ ...texts, "v1/raw/vouchers.sql": "SELECT 1" }), "does not have the hash"],
    [
      "a file less",
      () => ({ "v1/segments.json": texts["v1/segments.json"] ?? "" }),
      "does not have the hash",
    ],
  ])("is refused, and writes nothing: %s", async (_what, changed, words) => {
    await setTexts(JSON.stringify(changed()));
    const before = await namesOfFiles();
    await expect(replay()).rejects.toMatchObject({
      code: "RUN_NOT_REPLAYABLE",
      message: expect.stringContaining(words),
    });
    expect(await namesOfFiles()).toEqual(before);
  });

  it("is refused even if the hash is changed, too", async () => {
    const changed = { "../../evil.sql": "", ...texts };
    const newHash = hashOfTexts(new Map(Object.entries(changed)));
    await inDatabase(async ({ db }) => {
      await db.updateTable("pipeline_runs").set({ sql_hash: newHash }).execute();
      await db
        .updateTable("sql_versions")
        .set({ sql_hash: newHash, files: JSON.stringify(changed) })
        .execute();
    });
    await expect(replay()).rejects.toMatchObject({ code: "RUN_NOT_REPLAYABLE" });
    await inDatabase(async ({ db }) => {
      await db.updateTable("pipeline_runs").set({ sql_hash: hash }).execute();
      await db.updateTable("sql_versions").set({ sql_hash: hash }).execute();
    });
  });

  it.each(["{", '{"v1/segments.json":1}'])("reports that the database is damaged: %s", async (files) => {
    await setTexts(files);
    await expect(replay()).rejects.toMatchObject({ code: "CONSUMPTION_NOT_USABLE" });
  });

  it("gives the same if only the order of the files differs", async () => {
    await setTexts(JSON.stringify(Object.fromEntries(Object.entries(texts).reverse())));
    expect(await replay()).toMatchObject({ is_same: true, moved: [] });
  });

  it("is refused if the record names another run, whose id would name a folder", async () => {
    await inDatabase(async ({ db }) => {
      const { record } = await db.selectFrom("pipeline_runs").select("record").executeTakeFirstOrThrow();
      const changed = { ...(JSON.parse(record ?? "") as object), run_id: "../../../evil" };
      await db
        .updateTable("pipeline_runs")
        .set({ record: JSON.stringify(changed) })
        .execute();
    });
    await expect(replay()).rejects.toMatchObject({ code: "CONSUMPTION_NOT_USABLE" });
  });

  /** Without those that SQLite has beside the database while it is open. */
  async function namesOfFiles() {
    // SQLite removes its files of a connection when the garbage collector ends that.
    const names = await readdir(workspace.folder, { recursive: true });
    return names.filter((name) => !/-(wal|shm)$/.test(name)).sort();
  }

  function replay() {
    const request = { runId, usesCurrentSql: false };
    return replayRun(workspace.settings, request, new AbortController().signal, () => undefined);
  }

  function setTexts(files: string) {
    return inDatabase(({ db }) => db.updateTable("sql_versions").set({ files }).execute());
  }

  async function inDatabase<Result>(
    use: (consumption: Awaited<ReturnType<typeof openConsumption>>) => Promise<Result>,
  ): Promise<Result> {
    const consumption = await openConsumption(workspace.settings.consumptionUrl);
    try {
      return await use(consumption);
    } finally {
      await consumption.close();
    }
  }
});
