import { describe, expect, it } from "@jest/globals";
import { openSparkSession } from "../../../src/engine/spark/spark-session.js";
import { FINISHED, scriptedSpark, type Said } from "./scripted-spark.js";

const never = () => new AbortController().signal;

/** A session at a server that says this of the statement `work`, and that all others have finished. */
async function sessionThatSays(say: (time: number) => Said, signal = never()) {
  const { settings, asked } = await scriptedSpark((statement, time) =>
    statement === "work" ? say(time) : FINISHED,
  );
  return { asked, session: await openSparkSession(settings, signal) };
}

/** What Spark says, and what becomes of it. */
interface Told {
  readonly said: string;
  readonly code: string | undefined;
  readonly message: string;
}

describe("a session", () => {
  it("makes Spark compute as the models expect", async () => {
    const { asked, session } = await sessionThatSays(() => FINISHED);
    expect(session.version).toBe("Spark 4.0.0");
    expect(asked).toEqual(
      expect.arrayContaining(["SET spark.sql.session.timeZone=UTC", "SET spark.sql.ansi.enabled=true"]),
    );
  });

  it.each(["true", "false"])("opens only if clients do not share one: %s", async (isShared) => {
    const defaults = { "spark.sql.hive.thriftServer.singleSession": isShared };
    const { settings } = await scriptedSpark(() => FINISHED, undefined, defaults);
    const opening = openSparkSession(settings, never());
    if (isShared === "false") await expect(opening).resolves.toBeDefined();
    else
      await expect(opening).rejects.toMatchObject({
        code: "ENGINE_NOT_USABLE",
        message: expect.stringContaining("share one session") as unknown,
      });
  });

  it("does not repeat a setting that the server has taken over", async () => {
    const { asked, settings } = await scriptedSpark(() => FINISHED, undefined, {
      "spark.sql.session.timeZone": "UTC",
      "spark.sql.ansi.enabled": "false",
    });
    await openSparkSession(settings, never());
    expect(asked).not.toContain("SET spark.sql.session.timeZone=UTC");
    expect(asked).toContain("SET spark.sql.ansi.enabled=true");
  });

  it("does not open at a Spark that is too old", async () => {
    const { settings } = await scriptedSpark(() => FINISHED, "3.5.9 revision");
    await expect(openSparkSession(settings, never())).rejects.toMatchObject({
      code: "ENGINE_NOT_USABLE",
      message: expect.stringContaining("has version 3.5.9, but 4.0 or newer is required") as unknown,
    });
  });
});

describe("a statement", () => {
  it("is polled until it has finished, and then closed", async () => {
    const { asked, session } = await sessionThatSays((time) => (time < 4 ? { operationState: 1 } : FINISHED));
    await session.run("work");
    expect(asked.slice(-2)).toEqual(["work", "close work"]);
  });

  it("that has failed is polled for the reason until there is one", async () => {
    const reason =
      "org.apache.hive.service.cli.HiveSQLException: Error running query: [DIVIDE_BY_ZERO] " +
      "org.apache.spark.SparkArithmeticException: [DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012\n" +
      "== SQL (line 3, position 8) ==\nSELECT 1/0\n\tat org.apache.spark.Executor.run(Executor.scala:1)";
    const { session } = await sessionThatSays((time) =>
      time < 3 ? { operationState: 5 } : { operationState: 5, errorMessage: reason, sqlState: "22012" },
    );
    await expect(session.run("work")).rejects.toMatchObject({
      name: "SparkError",
      message: "[DIVIDE_BY_ZERO] Division by zero. SQLSTATE: 22012",
      condition: "DIVIDE_BY_ZERO",
      sqlState: "22012",
      line: 3,
    });
  });

  it("that has failed without a reason does not delay its caller", async () => {
    const { session } = await sessionThatSays(() => ({ operationState: 5 }));
    await expect(session.run("work")).rejects.toMatchObject({
      name: "SparkError",
      message: "failed without a message",
    });
  });

  it.each([
    "Job 7 cancelled because SparkContext was shut down",
    "Cannot call methods on a stopped SparkContext.",
    "Invalid SessionHandle: SessionHandle [c0ffee]",
  ])("is not faulty itself if the server's message is %j", async (errorMessage) => {
    const { session } = await sessionThatSays(() => ({ operationState: 5, errorMessage }));
    await expect(session.run("work")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
  });

  it.each(
    Object.entries<Told>({
      "S3 that fails": {
        said:
          "org.apache.hive.service.cli.HiveSQLException: Error running query: [FAILED_TO_CREATE_PLAN_FOR_DIRECT_QUERY] " +
          "org.apache.spark.sql.AnalysisException: [FAILED_TO_CREATE_PLAN_FOR_DIRECT_QUERY] Failed to create plan for direct query " +
          "on files: parquet SQLSTATE: 58030\n\tat org.apache.spark.Sql.run(Sql.scala:1)\nCaused by: " +
          "org.apache.hadoop.fs.s3a.AWSServiceThrottledException: getFileStatus on s3a://lake/raw/a.parquet: " +
          "software.amazon.awssdk.services.s3.model.S3Exception: Service Unavailable (Service: S3, Status Code: 503, Request ID: " +
          "null):null: Service Unavailable (Service: S3, Status Code: 503, Request ID: null)",
        code: "STORAGE_FAILED",
        message:
          "S3 failed Spark: getFileStatus on s3a://lake/raw/a.parquet: Service Unavailable; run again later, or check its fs.s3a.endpoint",
      },
      "S3 that cannot be reached": {
        said:
          "org.apache.hive.service.cli.HiveSQLException: Error running query: java.net.ConnectException: getFileStatus on " +
          "s3a://lake/raw/out: software.amazon.awssdk.core.exception.SdkClientException: Unable to execute HTTP request: Connect to " +
          "10.0.0.1:9000 [/10.0.0.1] failed: Connection refused (SDK Attempt Count: 2):    software.amazon.awssdk.core.exception." +
          "SdkClientException: Unable to execute HTTP request: Connect to 10.0.0.1:9000 [/10.0.0.1] failed: Connection refused " +
          "(SDK Attempt Count: 2): Connection refused",
        code: "STORAGE_FAILED",
        message:
          "S3 failed Spark: getFileStatus on s3a://lake/raw/out: Unable to execute HTTP request: Connect to 10.0.0.1:9000 [/10.0.0.1] failed: Connection refused; run again later, or check its fs.s3a.endpoint",
      },
      "S3 that does not know its keys": {
        said:
          "org.apache.hive.service.cli.HiveSQLException: Error running query: java.nio.file.AccessDeniedException: s3a://lake/x/out: " +
          "getFileStatus on s3a://lake/x/out: software.amazon.awssdk.services.s3.model.S3Exception: Forbidden (Service: S3, Status " +
          "Code: 403, Request ID: null):null",
        code: "ENGINE_NOT_USABLE",
        message:
          "Spark may not use S3: getFileStatus on s3a://lake/x/out: Forbidden; allow its keys to list, read, write and delete there (fs.s3a.access.key)",
      },
      "another S3": {
        said:
          "Error running query: [A] B\nCaused by: org.apache.hadoop.fs.s3a.UnknownStoreException: `s3a://lake/x/a.parquet': " +
          "getFileStatus on s3a://lake/x/a.parquet: software.amazon.awssdk.services.s3.model.NoSuchBucketException: The specified " +
          "bucket does not exist (Service: S3, Status Code: 404, Request ID: 1A):NoSuchBucket: The specified bucket does not exist",
        code: "ENGINE_NOT_USABLE",
        message:
          "Spark does not find S3: getFileStatus on s3a://lake/x/a.parquet: The specified bucket does not exist; check its fs.s3a.endpoint",
      },
      "no keys": {
        said:
          "Error running query: java.nio.file.AccessDeniedException: lake: org.apache.hadoop.fs.s3a.auth.NoAuthWithAWSException: No " +
          "AWS Credentials provided by TemporaryAWSCredentialsProvider",
        code: "ENGINE_NOT_USABLE",
        message:
          "Spark has no keys for S3; set fs.s3a.access.key and fs.s3a.secret.key there, or give it a role",
      },
      "no client for S3": {
        said:
          "Error running query: java.lang.RuntimeException: java.lang.ClassNotFoundException: Class " +
          "org.apache.hadoop.fs.s3a.S3AFileSystem not found",
        code: "ENGINE_NOT_USABLE",
        message:
          "Spark has no client for S3; add hadoop-aws (in its Hadoop version) and the AWS SDK to the class path of driver and executors",
      },
      "an object that is gone": {
        said:
          "Error running query: [A] B\nCaused by: java.io.FileNotFoundException: reopen on s3a://lake/x/a.parquet: " +
          "software.amazon.awssdk.services.s3.model.NoSuchKeyException: gone (Service: S3, Status Code: 404, Request ID: 1A)",
        code: undefined,
        message: "[A] B",
      },
    }),
  )("that meets %s reports it", async (_, { said, code, message }) => {
    const { session } = await sessionThatSays(() => ({ operationState: 5, errorMessage: said }));
    const error: unknown = await session.run("work").catch((thrown: unknown) => thrown);
    const { code: coded, message: told } = error as { readonly code?: string; readonly message: string };
    expect({ code: coded, message: told.replace(/Spark at [0-9.:]+[0-9]/, "Spark") }).toEqual({
      code,
      message,
    });
  });

  it("is cancelled at the server with its signal, and closed after it", async () => {
    const controller = new AbortController();
    const { asked, session } = await sessionThatSays((time) => {
      if (time === 2) controller.abort();
      return { operationState: 1 };
    }, controller.signal);
    await expect(session.run("work")).rejects.toMatchObject({ code: "CANCELLED" });
    expect(asked.slice(-3)).toEqual(["work", "cancel work", "close work"]);
  });
});
