import { readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "@jest/globals";
import { sideBySide } from "../../src/base/concurrency.js";
import { writeCorpus, type Corpus } from "../hostile/corpus/corpus.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { putFile } from "../storage.js";
import { expectSame, makePair } from "./same.js";

const { CORPUS_PYTHON: ofWriters, SPARK_PYTHON: ofSpark } = process.env;
const TIMEOUT = 900_000;

/** A few at a time: each type of a column takes its part of one statement, and the Spark of the tests has little memory. */
const COLUMNS = [
  ["timestamp", "country_code"],
  ["last_order_ts"],
  ["first_order_ts", "voucher_amount"],
  ["total_orders"],
];

(ofWriters && ofSpark ? describe : describe.skip)(
  "a run on a cluster over files of pyarrow, polars, fastparquet and Spark",
  () => {
    let corpora: readonly Corpus[];
    beforeAll(async () => {
      const writers = ["pyarrow", "polars", "fastparquet"];
      corpora = [
        await writeCorpus(ofWriters, "generate.py", writers),
        await writeCorpus(ofSpark, "generate_by_spark.py", ["spark"]),
      ];
    }, TIMEOUT);

    it.each(COLUMNS)(
      "gives the rows of DuckDB for any type of %s",
      async (...columns: readonly string[]) => {
        const pair = await makePair({ maxRejectedShare: "1" });
        const files = corpora.flatMap(({ folder, read }) =>
          read.filter(({ column }) => columns.includes(column)).map(({ file }) => path.join(folder, file)),
        );
        await sideBySide(files, async (file) =>
          putFile(pair.duckDb.settings.zones.raw, `vouchers/${path.basename(file)}`, await readFile(file)),
        );
        const { measures } = await run(pair.duckDb.settings);
        const report = await run(pair.spark.settings);
        await expectSame(pair, EXECUTION_DATE);
        expect(report.measures).toEqual(measures);
        const offCluster = report.off_cluster.reduce((sum, group) => sum + group.files, 0);
        expect(files.length - offCluster).toBeGreaterThanOrEqual(10);
        expect(offCluster).toBeGreaterThan(5);
      },
      TIMEOUT,
    );
  },
);
