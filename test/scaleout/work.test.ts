import { mkdir, readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { afterAll, expect, it } from "@jest/globals";
import { putParquet } from "../duckdb.js";
import { EXECUTION_DATE, run } from "../run/running.js";
import { makeFolder, makeWorkspace } from "../workspace.js";
import { startThriftServer, type ThriftServer } from "./cluster.mjs";
import { expectSame, onCluster } from "./same.js";
import { s3OfTests } from "./spark.js";

let server: ThriftServer | undefined;

afterAll(() => server?.stop("SIGKILL"));

const ROWS = 10_000;

/** Vouchers as feeds write them: a tenth is rejected, and a few last orders are later than their voucher. */
const VOUCHERS = `
  SELECT '2020-05-01 10:00:00+00:00' AS "timestamp",
    CASE WHEN i % 10 = 0 THEN '' ELSE 'Country ' || i % 4 END AS country_code,
    CASE WHEN i % 25 = 1 THEN '2020-05-02' ELSE '2020-04-20 00:00:00+00:00' END AS last_order_ts,
    TIMESTAMP_MS '2019-01-01' AS first_order_ts,
    (i % 50)::VARCHAR AS total_orders,
    (i % 7 * 440 + 440)::DOUBLE AS voucher_amount
  FROM range(${ROWS.toString()}) AS vouchers(i)`;

interface SparkEvent {
  readonly Event: string;
  readonly "Stage Info"?: {
    readonly Accumulables: readonly { readonly Name: string; readonly Value: unknown }[];
  };
}

/** The number of jobs, and of the rows that tasks have read from files, by the events that a Spark has logged. */
async function workIn(folder: string): Promise<{ jobs: number; rowsRead: number }> {
  const [name = ""] = await readdir(folder);
  const lines = (await readFile(path.join(folder, name), "utf8")).split("\n").filter((line) => line !== "");
  const events = lines.map((line) => JSON.parse(line) as SparkEvent);
  const reads = events
    .flatMap((event) => event["Stage Info"]?.Accumulables ?? [])
    .filter((metric) => metric.Name === "internal.metrics.input.recordsRead");
  return {
    jobs: events.filter(({ Event }) => Event === "SparkListenerJobStart").length,
    rowsRead: reads.reduce((sum, { Value }) => sum + Number(Value), 0),
  };
}

it("a run on a cluster reads the rows about seven times, in 32 jobs", async () => {
  const directory = path.join(await makeFolder(), "server");
  const events = path.join(directory, "events");
  await mkdir(events, { recursive: true });
  const properties = {
    "spark.eventLog.enabled": "true",
    "spark.eventLog.dir": `file:${events}`,
    "spark.eventLog.compress": "false",
    "spark.eventLog.rolling.enabled": "false",
  };
  server = await startThriftServer({ directory, s3: s3OfTests(), properties });
  const duckDb = await makeWorkspace();
  const spark = onCluster(await makeWorkspace(), duckDb, `spark://127.0.0.1:${server.port}`);
  await putParquet(duckDb.settings.zones.raw, "vouchers/part.parquet", VOUCHERS);
  await run(duckDb.settings);
  const { off_cluster, audits } = await run(spark.settings);
  const { jobs, rowsRead } = await workIn(events);
  await expectSame({ duckDb, spark }, EXECUTION_DATE);
  expect(off_cluster).toEqual([]);
  // The promise is broken as often as it may, and nobody looks for examples.
  expect(audits.find(({ audit }) => audit === "last_order_precedes_voucher")?.broken).toBeGreaterThan(300);
  expect(jobs).toBeLessThanOrEqual(32);
  // Raw once. Typed raw for curated, for rejected and for the accounting. Curated for its audits together, for the
  // usage and for the recount, and rejected for its measures.
  expect(rowsRead / ROWS).toBeLessThanOrEqual(1 + 3 + 3 * 0.9 + 4 * 0.1 + 0.01);
}, 600_000);
