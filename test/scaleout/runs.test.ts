import { readFile } from "node:fs/promises";
import path from "node:path";
import { describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { visible } from "../end-to-end/failing.js";
import { executionMoment } from "../hostile/contract.js";
import { parquetFiles, rawFiles, writeRawFile } from "../hostile/raw-files.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run } from "../run/running.js";
import { hashesOf, listFiles, putFile } from "../storage.js";
import { makeFolder, makeWorkspace, PROJECT } from "../workspace.js";
import { expectSame, makePair, onCluster, SPARK_TYPES, putDamaged } from "./same.js";

const EXECUTION_DATE = "2020-05-29";
/** A run on a cluster of two cores takes a while, also over few rows, and longer beside other tests. */
const TIMEOUT = 600_000;
describe("a run on a cluster", () => {
  it(
    "gives the rows of a run of DuckDB, and the bytes of its answers, over the sample",
    async () => {
      const pair = await makePair();
      const { raw } = pair.duckDb.settings.zones;
      const sample = path.join(PROJECT, "data/raw/vouchers");
      for (const name of await listFiles(sample))
        await putFile(raw, `vouchers/${name}`, await readFile(path.join(sample, name)));
      const [ours, theirs] = [await run(pair.duckDb.settings), await run(pair.spark.settings)];
      await expectSame(pair, EXECUTION_DATE);
      expect(theirs.measures).toEqual(ours.measures);
      expect(theirs.engine).toMatch(/^Spark 4\.\S+, DuckDB v1\./);
      expect(theirs.audits.map(({ model, audit, outcome }) => [model, audit, outcome]).sort()).toEqual(
        ours.audits.map(({ model, audit, outcome }) => [model, audit, outcome]).sort(),
      );
    },
    TIMEOUT,
  );

  const history = process.env["VOUCHERS_2018_FILE"];
  (history === undefined ? it.skip : it)(
    "gives the same over the history of 2018",
    async () => {
      const pair = await makePair();
      const { raw } = pair.duckDb.settings.zones;
      await putFile(raw, "vouchers/vouchers-2018.parquet.gzip", await readFile(history ?? ""));
      await run(pair.duckDb.settings, "2018-07-31");
      const { measures, off_cluster } = await run(pair.spark.settings, "2018-07-31");
      expect(off_cluster).toEqual([]);
      expect(measures["measures.row_accounting"]).toEqual([
        { rows_read: "285570", rejected: "24442", out_of_scope: "4623", curated: "256505" },
      ]);
      await expectSame(pair, "2018-07-31");
    },
    TIMEOUT,
  );

  it(
    "gives the same over raw data of every type, spelling and compression",
    async () => {
      const moment = executionMoment(EXECUTION_DATE);
      const ofAllKinds = fc.array(rawFiles(moment, 150), { minLength: 6, maxLength: 6 });
      const forSpark = fc.array(
        parquetFiles(moment, 150, (type) => SPARK_TYPES.has(type)),
        { minLength: 24, maxLength: 24 },
      );
      // Once, and for the seed that a failure tells: a run takes too long to look for a smaller one.
      await fc.assert(
        fc.asyncProperty(ofAllKinds, forSpark, async (sets, readBySpark) => {
          const pair = await makePair({ maxRejectedShare: "1" });
          const { raw } = pair.duckDb.settings.zones;
          await putVouchers(raw, [voucher()]);
          const folder = await makeFolder();
          for (const [index, files] of sets.entries())
            for (const file of files)
              await writeRawFile(folder, { ...file, name: `${index.toString()}/${file.name}` });
          for (const [index, file] of readBySpark.entries())
            await writeRawFile(folder, { ...file, name: `spark/${index.toString()}.parquet` });
          for (const name of await listFiles(folder))
            await putFile(raw, `vouchers/${name}`, await readFile(path.join(folder, name)));
          await run(pair.duckDb.settings);
          await run(pair.spark.settings);
          await expectSame(pair, EXECUTION_DATE);
        }),
        { numRuns: 1, endOnFailure: true },
      );
    },
    TIMEOUT,
  );

  it(
    "that runs again changes no row and no publication, and leaves other partitions as they are",
    async () => {
      const { duckDb, spark } = await makePair();
      await putVouchers(duckDb.settings.zones.raw, times(50, voucher()));
      await run(spark.settings, "2020-05-28");
      const other = await hashesOf(
        `${spark.settings.zones.curated}/vouchers/execution_date=2020-05-28T000000`,
      );
      await run(duckDb.settings, "2020-05-28");
      await run(duckDb.settings);
      await run(spark.settings);
      const provision = await hashesOf(spark.settings.zones.provision);
      const { published } = await run(spark.settings);
      await expectSame({ duckDb, spark }, EXECUTION_DATE);
      expect(published?.tables.map(({ upserted, removed }) => upserted + removed)).toEqual([0, 0, 0, 0, 0]);
      expect(await hashesOf(spark.settings.zones.provision)).toEqual(provision);
      expect(
        await hashesOf(`${spark.settings.zones.curated}/vouchers/execution_date=2020-05-28T000000`),
      ).toEqual(other);
    },
    TIMEOUT,
  );

  it(
    "replaces the files of DuckDB, and the other way round; each reads the files of the other",
    async () => {
      const duckDb = await makeWorkspace();
      const spark = onCluster(duckDb);
      const curated = `${duckDb.settings.zones.curated}/vouchers/execution_date=2020-05-29T000000`;
      await putVouchers(duckDb.settings.zones.raw, times(50, voucher()));
      await run(duckDb.settings);
      const provision = await hashesOf(duckDb.settings.zones.provision);
      await run(spark.settings, EXECUTION_DATE, ["aggregate"]);
      expect(await hashesOf(duckDb.settings.zones.provision)).toEqual(provision);
      await run(spark.settings, EXECUTION_DATE, ["curate"]);
      expect(await listFiles(curated)).toContain("_manifest.json");
      expect(await listFiles(curated)).not.toContain("data.parquet");
      await run(duckDb.settings, EXECUTION_DATE, ["aggregate", "publish"]);
      expect(await hashesOf(duckDb.settings.zones.provision)).toEqual(provision);
      await run(duckDb.settings);
      expect(await listFiles(curated)).toEqual(["data.parquet"]);
    },
    TIMEOUT,
  );

  it(
    "names the raw file with damaged rows, and changes nothing",
    async () => {
      const spark = onCluster(await makeWorkspace());
      const { raw } = spark.settings.zones;
      await putVouchers(raw, times(50, voucher()));
      await run(spark.settings);
      const before = await visible(spark);
      await putDamaged(
        raw,
        "vouchers/damaged.parquet",
        `SELECT '2020-05-01' AS "timestamp", 'Peru ' || i AS country_code, '2020-04-20' AS last_order_ts,
          '2019-01-01' AS first_order_ts, '7' AS total_orders, '2640' AS voucher_amount FROM range(5000) AS rows(i)`,
      );
      await expect(run(spark.settings)).rejects.toMatchObject({
        code: "RAW_FILE_UNREADABLE",
        message: expect.stringContaining("vouchers/damaged.parquet"),
      });
      expect(await visible(spark)).toEqual(before);
    },
    TIMEOUT,
  );
});
