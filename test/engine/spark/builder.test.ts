import { expect, it } from "@jest/globals";
import type { Query } from "../../../src/engine/builder.js";
import { withDuckDb } from "../../../src/engine/duckdb/duckdb.js";
import { sparkBuilder } from "../../../src/engine/spark/spark-builder.js";
import { openSparkSession } from "../../../src/engine/spark/spark-session.js";
import { makeWorkspace } from "../../workspace.js";
import { FINISHED, scriptedSpark } from "./scripted-spark.js";

const MORE_THAN_SELECTS = {
  "a method of Java": ["SELECT reflect('java.lang.System', 'exit', 1)", "reflect does more than compute"],
  "a statement behind a comment": ["SELECT 1 --\r; DROP TABLE vouchers", "it is more than one SELECT"],
  "the end of the parentheses": ["SELECT 1); DROP TABLE vouchers; SELECT (1", "it is more than one SELECT"],
} as const;

const MORE_THAN_FUNCTIONS = {
  "another statement": [
    "CREATE TEMPORARY FUNCTION one() RETURN 1; DROP TABLE vouchers;",
    "it does more than CREATE TEMPORARY FUNCTION",
  ],
  "a method of Java": [
    "CREATE TEMPORARY FUNCTION now() RETURN try_reflect('java.lang.System', 'nanoTime');",
    "try_reflect does more than compute",
  ],
} as const;

/** What a builder says to its Spark, and how it ends. */
async function refusalBy(work: (builder: ReturnType<typeof sparkBuilder>) => Promise<void>) {
  const { settings: server, asked } = await scriptedSpark(() => FINISHED);
  const { signal } = new AbortController();
  const session = await openSparkSession(server, signal);
  const before = asked.length;
  const { settings } = await makeWorkspace();
  const options = {
    settings: settings.duckdb,
    reach: { directories: [], files: [] },
    signal,
    warn: () => undefined,
  };
  await withDuckDb(options, async (duckDb) => {
    const workspace = { folder: "s3://lake/staging", list: () => Promise.resolve([]) };
    await work(sparkBuilder(duckDb, session, workspace));
  }).finally(async () => {
    expect(asked.slice(before)).toEqual([]);
    await session.close();
  });
}

it.each(Object.entries(MORE_THAN_SELECTS))(
  "a model that is more than a SELECT is refused before Spark gets it: %s",
  async (_, [sql, said]) => {
    const query: Query = { sql, references: [], dialect: "spark" };
    await expect(refusalBy((builder) => builder.assertSelects(query))).rejects.toMatchObject({
      name: "SparkError",
      message: `${said}: it was not run`,
    });
  },
);

it.each(Object.entries(MORE_THAN_FUNCTIONS))(
  "a file of functions with other statements is refused before Spark gets it: %s",
  async (_, [sql, said]) => {
    await expect(
      refusalBy((builder) => builder.makeFunctions({ sql, dialect: "spark" })),
    ).rejects.toMatchObject({ name: "SparkError", message: `${said}: it was not run` });
  },
);
