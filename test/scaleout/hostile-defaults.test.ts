import { readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { putParquet } from "../duckdb.js";
import { executionMoment } from "../hostile/contract.js";
import { parquetFiles, writeRawFile } from "../hostile/raw-files.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { listFiles, putFile } from "../storage.js";
import { makeFolder, makeWorkspace } from "../workspace.js";
import { startThriftServer, type ThriftServer } from "./cluster.mjs";
import { expectSame, onCluster, SPARK_TYPES, type Pair, putDamaged } from "./same.js";
import { s3OfTests } from "./spark.js";

/** Defaults of a cluster by which Spark reads, writes or understands something else than the models mean. */
const DEFAULTS = {
  "spark.sql.session.timeZone": "America/New_York",
  "spark.sql.timestampType": "TIMESTAMP_LTZ",
  "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
  "spark.sql.parquet.outputTimestampType": "INT96",
  "spark.sql.legacy.timeParserPolicy": "LEGACY",
  "spark.sql.parquet.datetimeRebaseModeInRead": "LEGACY",
  "spark.sql.parquet.datetimeRebaseModeInWrite": "LEGACY",
  "spark.sql.parquet.int96RebaseModeInRead": "LEGACY",
  "spark.sql.parquet.int96RebaseModeInWrite": "LEGACY",
  "spark.sql.legacy.parquet.nanosAsLong": "false",
  "spark.sql.parquet.int96AsTimestamp": "false",
  "spark.sql.files.ignoreCorruptFiles": "true",
  "spark.sql.files.ignoreMissingFiles": "true",
  "spark.sql.files.ignoredPathSegmentRegex": "^(part|[._])",
  "spark.sql.parquet.mergeSchema": "true",
  "spark.sql.parquet.fieldId.read.enabled": "true",
  "spark.sql.parquet.writeLegacyFormat": "true",
  "spark.sql.parquet.compression.codec": "gzip",
  "spark.sql.runSQLOnFiles": "false",
  "spark.sql.ansi.enabled": "false",
  "spark.sql.ansi.doubleQuotedIdentifiers": "false",
  "spark.sql.ansi.enforceReservedKeywords": "true",
  "spark.sql.ansi.relationPrecedence": "true",
  "spark.sql.caseSensitive": "false",
  "spark.sql.variable.substitute": "true",
  "spark.sql.scripting.enabled": "false",
  "spark.sql.groupByAliases": "false",
  "spark.sql.groupByOrdinal": "false",
  "spark.sql.orderByOrdinal": "false",
  "spark.sql.mapKeyDedupPolicy": "LAST_WIN",
  "spark.sql.parser.escapedStringLiterals": "true",
  "spark.sql.parser.quotedRegexColumnNames": "true",
  "spark.sql.legacy.parser.havingWithoutGroupByAsWhere": "true",
  "spark.sql.legacy.ctePrecedencePolicy": "LEGACY",
  "spark.sql.legacy.setopsPrecedence.enabled": "true",
  "spark.sql.legacy.exponentLiteralAsDecimal.enabled": "true",
  "spark.sql.error.messageFormat": "MINIMAL",
  "spark.sql.optimizer.mergeSubplans.filterPropagation.enabled": "false",
};

const TIMEOUT = 600_000;

let server: ThriftServer;

beforeAll(async () => {
  const directory = path.join(await makeFolder(), "server");
  server = await startThriftServer({ directory, s3: s3OfTests(), properties: DEFAULTS });
}, TIMEOUT);
afterAll(() => server.stop("SIGKILL"));

async function makeHostilePair(): Promise<Pair> {
  const overrides = { maxRejectedShare: "1" };
  const duckDb = await makeWorkspace(overrides);
  const spark = onCluster(await makeWorkspace(overrides), duckDb, `spark://127.0.0.1:${server.port}`);
  return { duckDb, spark };
}

/** Moments before 1582 and before 1900, where calendars and zones differ, and columns that only their case tells apart. */
const EARLY = `
  SELECT moment AS "timestamp", 'Peru \\' || moment AS country_code, moment::TIMESTAMPTZ AS last_order_ts,
    moment::DATE AS first_order_ts, i AS total_orders, 2640::DOUBLE AS voucher_amount,
    'x' AS "Total_Orders", make_timestamp_ns(i) AS nanoseconds
  FROM (VALUES (1, TIMESTAMP '0001-01-01'), (2, TIMESTAMP '1500-02-28 12:00:00'), (3, TIMESTAMP '1582-10-04 23:59:59'),
    (4, TIMESTAMP '1883-11-18 10:00:00.5'), (5, TIMESTAMP '1969-12-31 23:59:59.999999'), (6, TIMESTAMP '2020-03-08 02:30:00')
  ) AS moments(i, moment)`;

describe("a cluster with hostile defaults", () => {
  it(
    "gives the rows of DuckDB, and the bytes of its answers",
    async () => {
      const pair = await makeHostilePair();
      const { raw } = pair.duckDb.settings.zones;
      await putParquet(raw, "vouchers/early.parquet", EARLY);
      const folder = await makeFolder();
      const file = parquetFiles(executionMoment(EXECUTION_DATE), 100, (type) => SPARK_TYPES.has(type));
      for (const [index, each] of fc.sample(file, { numRuns: 8, seed: 7 }).entries())
        await writeRawFile(folder, { ...each, name: `part-${index.toString()}.parquet` });
      for (const name of await listFiles(folder))
        await putFile(raw, `vouchers/${name}`, await readFile(path.join(folder, name)));
      const { measures } = await run(pair.duckDb.settings);
      expect((await run(pair.spark.settings)).measures).toEqual(measures);
      await expectSame(pair, EXECUTION_DATE);
    },
    TIMEOUT,
  );

  it(
    "names a raw file with damaged rows",
    async () => {
      const { spark } = await makeHostilePair();
      const { raw } = spark.settings.zones;
      await putParquet(raw, "vouchers/early.parquet", EARLY);
      await putDamaged(
        raw,
        "vouchers/damaged.parquet",
        `SELECT vouchers.* REPLACE ('Peru ' || i AS country_code) FROM (${EARLY}) AS vouchers, range(2000) AS rows(i)`,
      );
      await expect(run(spark.settings)).rejects.toMatchObject({
        code: "RAW_FILE_UNREADABLE",
        message: expect.stringContaining("vouchers/damaged.parquet"),
      });
    },
    TIMEOUT,
  );
});
