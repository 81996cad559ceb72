import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { SparkError } from "../../src/engine/spark/spark-errors.js";
import { openSparkSession, type SparkSession } from "../../src/engine/spark/spark-session.js";
import { clusterUrl, executorsOfCluster, failureOf, openSession, sparkSettings } from "./spark.js";

/** Runs for minutes, in many tasks that are asked now and then whether they shall end. */
const LONG = "SELECT count(*) AS n FROM range(1000000000000) WHERE id % 7 = 3 AND sqrt(id) > 3";

describe("a session at a cluster", () => {
  let session: SparkSession;

  beforeAll(async () => {
    session = await openSparkSession(sparkSettings(clusterUrl()), new AbortController().signal);
  });
  afterAll(() => session.close());

  it("reports the version of Spark", () => {
    expect(session.version).toMatch(/^Spark 4\.[0-9]+\.[0-9]+/);
  });

  it("gives every value of a row like DuckDB", async () => {
    const rows = await session.rows(String.raw`
      SELECT 9007199254740993 AS large, -1 AS whole, CAST(NULL AS BIGINT) AS nothing, CAST(4.5 AS DOUBLE) AS number,
        CAST('NaN' AS DOUBLE) AS none, 1.10 AS exact, TRUE AS yes, DATE '2018-07-31' AS day,
        TIMESTAMP '2018-07-31 10:00:00.120' AS moment, 'it''s é 😀 "\\" \n' AS text, X'00FF61' AS bytes,
        ARRAY('a"b', NULL) AS list, NAMED_STRUCT('x', 1, 'y', NULL) AS struct, 1 AS "a.b"`);
    expect(rows).toEqual([
      {
        large: "9007199254740993",
        whole: -1,
        nothing: null,
        number: 4.5,
        none: "NaN",
        exact: "1.10",
        yes: true,
        day: "2018-07-31",
        moment: "2018-07-31 10:00:00.12",
        text: 'it\'s é 😀 "\\" \n',
        bytes: "\\x00\\xFFa",
        list: ['a"b', null],
        struct: { x: 1 },
        "a.b": 1,
      },
    ]);
  });

  it("gives all rows, in the order of the query", async () => {
    const rows = await session.rows(
      "SELECT id, if(id % 2 = 0, id, NULL) AS even FROM range(2500) ORDER BY id DESC",
    );
    expect(rows).toEqual(
      Array.from({ length: 2500 }, (_, place) => {
        const id = 2499 - place;
        return { id: String(id), even: id % 2 === 0 ? String(id) : null };
      }),
    );
    await expect(session.rows("SELECT 1 AS n WHERE false")).resolves.toEqual([]);
  });

  it("keeps the result of a statement for the next ones, and runs several in parallel", async () => {
    await session.run("CREATE TEMPORARY VIEW numbers AS SELECT id FROM range(10)");
    const sums = ["sum(id)", "max(id)", "count(*)"].map((sum) =>
      session.rows(`SELECT ${sum} AS n FROM numbers`),
    );
    expect(await Promise.all(sums)).toEqual([[{ n: "45" }], [{ n: "9" }], [{ n: "10" }]]);
  });

  it.each([
    ["SELECT\n  nope FROM range(1)", { sqlState: "42703", line: 2 }],
    ["SELEC 1", { sqlState: "42601", condition: "PARSE_SYNTAX_ERROR", line: 1 }],
    ["SELECT CAST('x' AS INT)", { sqlState: "22018", condition: "CAST_INVALID_INPUT" }],
    ["SELECT assert_true(id < 5) FROM range(10)", { sqlState: "P0001" }],
  ])("explains in one line why Spark refuses %j", async (sql, expected) => {
    const error = await failureOf(session.rows(sql));
    expect(error).toBeInstanceOf(SparkError);
    expect(error).toMatchObject(expected);
    expect((error as SparkError).message).toMatch(/^[^\n]{20,}$/);
    expect((error as SparkError).message).not.toMatch(/Exception|\bat org\./);
  });

  it("ends a statement at the cluster when it is cancelled", async () => {
    const controller = new AbortController();
    const cancelled = await openSession(undefined, controller.signal);
    const failure = failureOf(cancelled.rows(LONG));
    await sleep(3_000);
    controller.abort();
    expect(await failure).toMatchObject({ code: "CANCELLED" });
    await expect(cancelled.run("SELECT 1")).rejects.toMatchObject({ code: "CANCELLED" });
    // On both cores of the cluster the statement would still be counting.
    const [row] = await session.rows("SELECT count(*) AS n FROM range(0, 100, 1, 4)");
    expect(row).toEqual({ n: "100" });
  });

  it("continues without a killed executor", async () => {
    await session.run("SELECT 1");
    const counted = session.rows("SELECT count(*) AS n FROM range(0, 200000000, 1, 8) WHERE sqrt(id) >= 0");
    await sleep(1_000);
    const [executor] = await executorsOfCluster();
    if (executor !== undefined) process.kill(executor, "SIGKILL");
    expect(executor).toBeDefined();
    expect(await counted).toEqual([{ n: "200000000" }]);
  });
});
