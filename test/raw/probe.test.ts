import { expect, it } from "@jest/globals";
import { withDuckDb } from "../../src/engine/duckdb/duckdb.js";
import type { RawPart } from "../../src/models/dialect.js";
import { probeRawFiles, type WithNewEngine } from "../../src/raw/inspect-raw.js";
import { listLiteral } from "../../src/sql-text/literal.js";
import { openLocalZone } from "../../src/zones/folder-zone.js";
import { putParquet } from "../duckdb.js";
import { getFile, putFile } from "../storage.js";
import { makeWorkspace } from "../workspace.js";

it("a Parquet file whose footer has invalid text is in the message", async () => {
  const { settings } = await makeWorkspace();
  const raw = settings.zones.raw;
  await putParquet(raw, "vouchers/whole.parquet", "SELECT 'Peru' AS country_code");
  const damaged = await getFile(raw, "vouchers/whole.parquet");
  damaged[damaged.lastIndexOf("DuckDB version")] = 0xff;
  await putFile(raw, "vouchers/damaged.parquet", damaged);
  const zone = await openLocalZone(raw);
  const files = await zone.list("vouchers");
  const part: RawPart = {
    format: "parquet",
    root: raw,
    files: files.map(({ uri }) => uri),
    bytes: 0,
    fileColumn: "source_file",
    columns: { country_code: { name: "country_code", type: "VARCHAR" } },
    compression: "none",
    header: [],
  };
  const session = {
    settings: settings.duckdb,
    reach: { directories: [raw], files: [] },
    signal: new AbortController().signal,
    warn: () => undefined,
  };
  await expect(
    probeRawFiles(
      (use) => withDuckDb(session, use),
      zone,
      files,
      [part],
      (read) => `SELECT country_code FROM read_parquet(${listLiteral(read.files)})`,
    ),
  ).rejects.toMatchObject({
    code: "RAW_FILE_UNREADABLE",
    message: expect.stringMatching(/^cannot read this raw file\. .*\n {2}vouchers\/damaged\.parquet: .+$/),
  });
});

it("a file that breaks the engine is in the message, and so is one after it, but no other", async () => {
  const { settings } = await makeWorkspace();
  const raw = settings.zones.raw;
  // In the last column that is read, beside one that is not, DuckDB 1.5 takes text that is not UTF-8 for a bug of its own.
  await putFile(raw, "vouchers/a.csv", Buffer.from("note,country_code\n,Per\u00fa\n", "latin1"));
  await putFile(raw, "vouchers/b.csv", "note,country_code\n,Peru\n");
  await putFile(raw, "vouchers/c.csv", "note,country_code\n,Peru,1\n");
  const zone = await openLocalZone(raw);
  const files = await zone.list("vouchers");
  const part: RawPart = {
    format: "csv",
    root: raw,
    files: files.map(({ uri }) => uri),
    bytes: 0,
    fileColumn: "source_file",
    columns: { country_code: { name: "country_code", type: "VARCHAR" } },
    compression: "none",
    header: ["note", "country_code"],
  };
  const selectOf = (read: RawPart) =>
    `SELECT country_code FROM read_csv(${listLiteral(read.files)}, auto_detect = false, header = true,
       columns = { note: 'VARCHAR', country_code: 'VARCHAR' })`;
  let engines = 0;
  const withNewEngine: WithNewEngine = (use) => {
    engines++;
    const reach = { directories: [raw], files: [] };
    const signal = new AbortController().signal;
    return withDuckDb({ settings: settings.duckdb, reach, signal, warn: () => undefined }, use);
  };
  const failure: unknown = await probeRawFiles(withNewEngine, zone, files, [part], selectOf).catch(
    (error: unknown) => error,
  );
  expect(failure).toMatchObject({ code: "RAW_FILE_UNREADABLE" });
  expect((failure as Error).message).toMatch(
    /^cannot read these 2 raw files\. .*\n {2}vouchers\/a\.csv: .+\n {2}vouchers\/c\.csv: .+$/,
  );
  expect((failure as Error).message).not.toContain("Stack Trace");
  expect(engines).toBe(2);
});
