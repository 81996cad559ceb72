import { expect, it } from "@jest/globals";
import { sparkRefusal, type RawColumn, type RawPart } from "../../src/models/dialect.js";
import { offClusterOf } from "../../src/raw/file-notices.js";
import { rawNotices } from "../../src/record/findings-in-words.js";
import { NOTHING_YET } from "../../src/record/run-record.js";

/** Files with one column, as a group. */
function part(
  files: readonly string[],
  bytes: number,
  column: Partial<RawColumn>,
  changes: Partial<RawPart> = {},
): RawPart {
  return {
    format: "parquet",
    root: "s3://lake/raw",
    files: files.map((name) => `s3://lake/raw/vouchers/${name}`),
    bytes,
    fileColumn: "source_file",
    columns: { timestamp: { name: "timestamp", type: "VARCHAR", ...column } },
    compression: "none",
    header: [],
    ...changes,
  };
}

it("the files that the cluster does not read are counted by reason, the most bytes first", () => {
  const moment = { type: "TIMESTAMP WITH TIME ZONE" };
  const groups = offClusterOf(
    [
      part(["a.parquet", "b.parquet"], 100, {}),
      part(["c.csv"], 30, {}, { format: "csv" }),
      part(["d.csv.gz", "e.csv.gz"], 20, {}, { format: "csv", compression: "gzip" }),
      part(["f.parquet"], 5_000, { ...moment, unit: "nanoseconds", isOrdinary: true }),
      part(["g.parquet"], 40, { ...moment, unit: "milliseconds", isOrdinary: true }),
      part(["h.parquet"], 7, { ...moment, unit: "milliseconds" }),
      part(["i.parquet"], 6, { ...moment, unit: "int96" }),
      part(["j.parquet"], 5, { ...moment, isOrdinary: true }, { isLegacy: true }),
      part(["k{1}.parquet"], 4, {}),
      part(["l.parquet"], 3, { name: "Timestamp" }),
      part(["m.parquet"], 2, { type: '"NULL"', castTo: "VARCHAR" }),
    ],
    sparkRefusal,
  );
  expect(rawNotices({ ...NOTHING_YET, off_cluster: groups })).toEqual([
    {
      heading: "raw files that DuckDB reads instead of the cluster",
      lines: [
        "timestamp: moments in nanoseconds: 1 file, 5,000 bytes, vouchers/f.parquet",
        "CSV: 3 files, 50 bytes, first vouchers/c.csv",
        "timestamp: times outside the years 1 to 9999, or no reliable statistics of them: 1 file, 7 bytes, vouchers/h.parquet",
        "timestamp: moments as INT96: 1 file, 6 bytes, vouchers/i.parquet",
        "the calendar of Spark 2: 1 file, 5 bytes, vouchers/j.parquet",
        "a name with characters that Hadoop does not take literally: 1 file, 4 bytes, vouchers/k{1}.parquet",
        "timestamp: the same name in another case: 1 file, 3 bytes, vouchers/l.parquet",
      ],
    },
  ]);
});
