import { readFile } from "node:fs/promises";
import path from "node:path";
import { expect, it } from "@jest/globals";
import { sideBySide } from "../../src/base/concurrency.js";
import { writeCorpus } from "../hostile/corpus/corpus.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { putFile } from "../storage.js";
import { expectSame, makePair } from "./same.js";

const { CORPUS_PYTHON: ofWriters, SPARK_PYTHON: ofSpark } = process.env;

/** Writes the files that a run reads to a raw zone, and gives their number. */
async function putCorpus(raw: string, ...generator: Parameters<typeof writeCorpus>): Promise<number> {
  const { folder, read } = await writeCorpus(...generator);
  await sideBySide(read, async ({ file }) =>
    putFile(raw, `vouchers/${file}`, await readFile(path.join(folder, file))),
  );
  return read.length;
}

(ofWriters && ofSpark ? it : it.skip)(
  "a run on a cluster gives the rows of DuckDB over files of pyarrow, polars, fastparquet and Spark",
  async () => {
    const pair = await makePair({ maxRejectedShare: "1" });
    const { raw } = pair.duckDb.settings.zones;
    const files =
      (await putCorpus(raw, ofWriters, "generate.py", ["pyarrow", "polars", "fastparquet"])) +
      (await putCorpus(raw, ofSpark, "generate_by_spark.py", ["spark"]));
    const { measures } = await run(pair.duckDb.settings);
    const report = await run(pair.spark.settings);
    await expectSame(pair, EXECUTION_DATE);
    expect(report.measures).toEqual(measures);
    const offCluster = report.off_cluster.reduce((sum, group) => sum + group.files, 0);
    expect(report.off_cluster.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining([
        "last_order_ts: nanoseconds",
        "last_order_ts: int96",
        "the calendar of Spark 2",
      ]),
    );
    expect(files - offCluster).toBeGreaterThan(100);
    expect(files).toBeGreaterThan(450);
  },
  1_800_000,
);
