import { describe, expect, it } from "@jest/globals";
import { openSparkSession } from "../../../src/engine/spark/session.js";
import { FINISHED, scriptedSpark, type Said } from "./scripted-spark.js";

const never = () => new AbortController().signal;

/** A session at a server that says this of the statement `work`, and that all others have finished. */
async function sessionThatSays(say: (time: number) => Said, signal = never()) {
  const { settings, asked } = await scriptedSpark((statement, time) =>
    statement === "work" ? say(time) : FINISHED,
  );
  return { asked, session: await openSparkSession(settings, signal) };
}

describe("a session", () => {
  it("makes Spark compute as the models expect", async () => {
    const { asked, session } = await sessionThatSays(() => FINISHED);
    expect(session.version).toBe("Spark 4.0.0");
    expect(asked).toEqual(
      expect.arrayContaining(["SET spark.sql.session.timeZone=UTC", "SET spark.sql.ansi.enabled=true"]),
    );
  });

  it("is not to be had at a Spark that is too old", async () => {
    const { settings } = await scriptedSpark(() => FINISHED, "3.5.9 revision");
    await expect(openSparkSession(settings, never())).rejects.toMatchObject({
      code: "ENGINE_NOT_USABLE",
      message: expect.stringContaining("is of version 3.5.9, and 4.0 is the oldest") as unknown,
    });
  });
});

describe("a statement", () => {
  it("is asked for until it has finished, and then closed", async () => {
    const { asked, session } = await sessionThatSays((time) => (time < 4 ? { operationState: 1 } : FINISHED));
    await session.run("work");
    expect(asked.slice(-2)).toEqual(["work", "close work"]);
  });

  it("that has failed is asked for the reason until there is one", async () => {
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

  it("that has failed without a reason does not keep its caller", async () => {
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
  ])("is no fault of its own where the server says %j", async (errorMessage) => {
    const { session } = await sessionThatSays(() => ({ operationState: 5, errorMessage }));
    await expect(session.run("work")).rejects.toMatchObject({ code: "ENGINE_UNAVAILABLE" });
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
