import path from "node:path";
import { expect, it } from "@jest/globals";
import { withDuckDb } from "../../src/engine/duckdb/duckdb.js";
import { sparkReads } from "../../src/models/dialect.js";
import { groupFiles } from "../../src/raw/inspect-raw.js";
import { withCodecs } from "../../src/raw/parquet-columns.js";
import { type InspectedFile } from "../../src/raw/raw-file.js";
import { openLocalZone } from "../../src/zones/folder-zone.js";
import { writeParquet } from "../duckdb.js";
import { makeWorkspace } from "../workspace.js";

/** Files of one column by their names, each with what it is compressed with and whether Spark is to read it. */
async function lookAt(files: Readonly<Record<string, readonly [select: string, options?: string]>>) {
  const { settings } = await makeWorkspace();
  const raw = settings.zones.raw;
  for (const [name, [select, options]] of Object.entries(files))
    await writeParquet(path.join(raw, "vouchers", name), select, options);
  const listed = await (await openLocalZone(raw)).list("vouchers");
  const type = (name: string) => (name === "nanoseconds.parquet" ? "TIMESTAMP_NS" : "VARCHAR");
  const inspected = listed.map((file): InspectedFile => ({
    file,
    format: "parquet",
    columns: [{ name: "value", duckDbName: "value", type: type(path.basename(file.path)) }],
  }));
  const session = {
    settings: settings.duckdb,
    reach: { directories: [raw], files: [] },
    signal: new AbortController().signal,
    warn: () => undefined,
  };
  const found = new Map<string, unknown>();
  await withDuckDb(session, async (engine) => {
    for (const each of await withCodecs(engine, inspected)) {
      // Where a file is has no say here: only files on S3 are Spark's.
      const parts = groupFiles([each], { value: "moment" }, raw).map((part) => ({
        ...part,
        files: ["s3://lake/f.parquet"],
      }));
      found.set(path.basename(each.file.path), [each.codecs, parts.map(sparkReads)]);
    }
  });
  return Object.fromEntries(found);
}

it("DuckDB reads Parquet that Spark cannot decompress", async () => {
  const select = "SELECT i::VARCHAR AS value FROM range(9) AS rows(i)";
  expect(
    await lookAt({
      "brotli.parquet": [select, "COMPRESSION brotli"],
      "empty.parquet": [`${select} WHERE false`, "COMPRESSION brotli"],
      "gzip.parquet": [select, "COMPRESSION gzip"],
      "lz4.parquet": [select, "COMPRESSION lz4_raw, PARQUET_VERSION v2"],
      "plain.parquet": [select, "COMPRESSION uncompressed"],
      "snappy.parquet": [select, "COMPRESSION snappy"],
      "zstd.parquet": [select, "COMPRESSION zstd"],
    }),
  ).toEqual({
    "brotli.parquet": [["BROTLI"], [false]],
    "empty.parquet": [[], [true]],
    "gzip.parquet": [["GZIP"], [true]],
    "lz4.parquet": [["LZ4_RAW"], [true]],
    "plain.parquet": [["UNCOMPRESSED"], [true]],
    "snappy.parquet": [["SNAPPY"], [true]],
    "zstd.parquet": [["ZSTD"], [true]],
  });
});

it("DuckDB reads a file whose footer it cannot show, and Spark still reads the others", async () => {
  const moment = "SELECT '2020-05-01' AS value";
  expect(
    await lookAt({
      "a.parquet": [moment],
      "b.parquet": [moment],
      "nanoseconds.parquet": ["SELECT make_timestamp_ns(-9223372036854775808) AS value"],
      "z.parquet": [moment],
    }),
  ).toEqual({
    "a.parquet": [["SNAPPY"], [true]],
    "b.parquet": [["SNAPPY"], [true]],
    "nanoseconds.parquet": [["UNKNOWN"], [false]],
    "z.parquet": [["SNAPPY"], [true]],
  });
});
