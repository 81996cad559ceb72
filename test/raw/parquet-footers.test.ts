import path from "node:path";
import { expect, it } from "@jest/globals";
import { withDuckDb } from "../../src/engine/duckdb/duckdb.js";
import { sparkRefusal } from "../../src/models/dialect.js";
import { groupFiles } from "../../src/raw/inspect-raw.js";
import { inspectParquetFiles, withFooters } from "../../src/raw/parquet-columns.js";
import { openLocalZone } from "../../src/zones/folder-zone.js";
import { writeParquet } from "../duckdb.js";
import { makeWorkspace } from "../workspace.js";

/** Files of one column of moments by their names, and why Spark is not to read them. */
async function refusalsOf(
  files: Readonly<Record<string, readonly [select: string, options?: string]>>,
  column = "value",
) {
  const { settings } = await makeWorkspace();
  const raw = settings.zones.raw;
  for (const [name, [select, options]] of Object.entries(files))
    await writeParquet(path.join(raw, "vouchers", `${name}.parquet`), select, options);
  const listed = await (await openLocalZone(raw)).list("vouchers");
  const session = {
    settings: settings.duckdb,
    reach: { directories: [raw], files: [] },
    signal: new AbortController().signal,
    warn: () => undefined,
  };
  const found = new Map<string, unknown>();
  await withDuckDb(session, async (engine) => {
    const { results } = await inspectParquetFiles(engine, listed, [column]);
    for (const each of await withFooters(engine, results, [column])) {
      // Spark reads only files on S3, and this test is not about places.
      const parts = groupFiles([each], { [column]: "moment" }, raw).map((part) => ({
        ...part,
        files: ["s3://lake/f.parquet"],
      }));
      found.set(path.basename(each.file.path, ".parquet"), parts.map(sparkRefusal).join());
    }
  });
  return Object.fromEntries(found);
}

it("DuckDB reads Parquet that Spark cannot decompress", async () => {
  const select = "SELECT i::VARCHAR AS value FROM range(9) AS rows(i)";
  expect(
    await refusalsOf({
      brotli: [select, "COMPRESSION brotli"],
      empty: [`${select} WHERE false`, "COMPRESSION brotli"],
      gzip: [select, "COMPRESSION gzip"],
      lz4: [select, "COMPRESSION lz4_raw, PARQUET_VERSION v2"],
      plain: [select, "COMPRESSION uncompressed"],
      snappy: [select, "COMPRESSION snappy"],
      zstd: [select, "COMPRESSION zstd"],
    }),
  ).toEqual({
    brotli: "compression BROTLI",
    empty: "",
    gzip: "",
    lz4: "",
    plain: "",
    snappy: "",
    zstd: "",
  });
});

it("DuckDB reads a file whose footer it cannot show, and Spark still reads the others", async () => {
  const moment = "SELECT '2020-05-01' AS value";
  expect(
    await refusalsOf({
      a: [moment],
      b: [moment],
      nanoseconds: ["SELECT make_timestamp_ns(-9223372036854775808) AS value"],
      z: [moment],
    }),
  ).toEqual({ a: "", b: "", nanoseconds: "compression that DuckDB cannot tell", z: "" });
});

it("Spark reads moments if statistics prove that they are in the years 1 to 9999", async () => {
  const unproven = "value: times outside the years 1 to 9999, or no reliable statistics of them";
  const moments = (type: string, ...values: readonly string[]) =>
    `SELECT CAST(value AS ${type}) AS value FROM (VALUES ${values.map((value) => `(${value})`).join(", ")}) AS rows(value)`;
  expect(
    await refusalsOf({
      "ordinary dates": [moments("DATE", "'0001-01-01'", "NULL", "'9999-12-31'")],
      "ordinary moments": [moments("TIMESTAMP", "'0001-01-01'", "'9999-12-31 23:59:59.999999'")],
      "ordinary milliseconds": [moments("TIMESTAMP_MS", "'2018-06-30 00:00:00.123'")],
      "ordinary with a zone": [moments("TIMESTAMPTZ", "'2018-06-30 00:00:00.123+02'")],
      "all missing": [moments("TIMESTAMP", "NULL")],
      "no rows": [`${moments("TIMESTAMP", "NULL")} WHERE value IS NOT NULL`],
      "a second row group": [
        `${moments("TIMESTAMP", "'2020-05-01'")} UNION ALL SELECT value FROM (${moments("TIMESTAMP", "'20000-01-01'")}), range(4096)`,
        "ROW_GROUP_SIZE 2048",
      ],
      infinity: [moments("TIMESTAMP", "'2020-05-01'", "'infinity'")],
      "before Christ": [moments("DATE", "'2020-05-01'", "'0044-03-15 (BC)'")],
      "infinite milliseconds": [moments("TIMESTAMP_MS", "'2020-05-01'", "'infinity'")],
    }),
  ).toEqual({
    "ordinary dates": "",
    "ordinary moments": "",
    "ordinary milliseconds": "",
    "ordinary with a zone": "",
    "all missing": "",
    "no rows": "",
    "a second row group": unproven,
    infinity: unproven,
    "before Christ": unproven,
    "infinite milliseconds": unproven,
  });
});

it("Spark does not read moments without such statistics in a column with blanks in its name", async () => {
  const select = `SELECT CAST('infinity' AS TIMESTAMP) AS "ordered at"`;
  expect(await refusalsOf({ infinity: [select] }, "ordered at")).toEqual({
    infinity: "ordered at: times outside the years 1 to 9999, or no reliable statistics of them",
  });
});

it("DuckDB reads types that Spark would read differently, or would refuse in any column", async () => {
  const beside = (sql: string) => [`SELECT '2020-05-01' AS value, ${sql} AS other`] as const;
  expect(
    await refusalsOf({
      nanoseconds: ["SELECT TIMESTAMP_NS '2020-05-01' AS value"],
      bytes: ["SELECT '2020-05-01'::BLOB AS value"],
      "another case": ["SELECT '2020-05-01' AS value, 'x' AS \"VALUE\""],
      time: beside("TIME '12:00:00'"),
      uuid: beside("uuid()"),
      "in a list": beside("[{a: TIME '12:00:00'}]"),
      fine: beside("{a: [1.5, NULL], b: MAP {'time': true}, c: TIMESTAMP_NS '2020-05-01'}"),
    }),
  ).toEqual({
    nanoseconds: "value: the type TIMESTAMP_NS",
    bytes: "value: the type BLOB",
    "another case": "",
    time: "a column of TIME",
    uuid: "a column of UUID",
    "in a list": "a column of TIME",
    fine: "",
  });
});
