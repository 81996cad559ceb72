import { afterEach } from "@jest/globals";
import { openSparkSession, type SparkSession } from "../../src/engine/spark/spark-session.js";
import { readSettings, type SparkSettings } from "../../src/settings/settings.js";
import { TEST_S3 } from "../place.js";
import { executorsOf, type S3OfSpark } from "./cluster.mjs";

const open = new Set<SparkSession>();

afterEach(async () => {
  for (const session of open) await session.close();
  open.clear();
});

/** The cluster of the tests, as ENGINE names it. */
export function clusterUrl(): string {
  const { TEST_SPARK_URL } = process.env;
  if (TEST_SPARK_URL === undefined) throw new Error("TEST_SPARK_URL names no Spark: npm run test:scaleout");
  return TEST_SPARK_URL;
}

/** The S3 of the tests, as a Spark is told of it. */
export function s3OfTests(): S3OfSpark {
  if (TEST_S3 === undefined) throw new Error("TEST_S3_ENDPOINT names no S3: npm run test:scaleout");
  const { endpoint, ...credentials } = TEST_S3;
  return { endpoint, credentials };
}

/** The ids of the processes that compute for the cluster. */
export function executorsOfCluster(): Promise<number[]> {
  return executorsOf(Number(process.env["TEST_SPARK_DRIVER_PORT"]));
}

/** What ENGINE says, with an authority to trust where one is given. */
export function sparkSettings(engine: string, caBundle?: string): SparkSettings {
  const settings = readSettings({
    ENGINE: engine,
    ENGINE_CA_BUNDLE: caBundle,
    RAW_ZONE: "s3://lake/raw",
    CURATED_ZONE: "s3://lake/curated",
    PROVISION_ZONE: "s3://lake/provision",
  }).engine;
  if (settings.kind !== "spark") throw new Error(`${engine} is no Spark`);
  return settings;
}

/** A session that ends with the test. */
export async function openSession(
  settings = sparkSettings(clusterUrl()),
  signal = new AbortController().signal,
): Promise<SparkSession> {
  const session = await openSparkSession(settings, signal);
  open.add(session);
  return session;
}

/** What work was rejected with; undefined where it was not. */
export async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => undefined,
    (error: unknown) => error,
  );
}
