import { isDeepStrictEqual } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import fc from "fast-check";
import { openSparkSession, type SparkSession } from "../../src/engine/spark/spark-session.js";
import { SPARK } from "../../src/models/dialect.js";
import { planRun } from "../../src/run/plan.js";
import { literal } from "../../src/sql-text/literal.js";
import { statementTexts } from "../../src/sql-text/scan.js";
import { executionMoment } from "../hostile/contract.js";
import { countryTexts, momentTexts, numberTexts } from "../hostile/texts.js";
import { input, rowsOf, version } from "../sql/session.js";
import { clusterUrl, sparkSettings } from "./spark.js";

const { clusterFunctions } = planRun(version, {
  ...input,
  cluster: { dialect: SPARK, refuses: () => "nothing is read" },
});

let session: SparkSession;

beforeAll(async () => {
  session = await openSparkSession(sparkSettings(clusterUrl()), new AbortController().signal);
  for (const statement of statementTexts(clusterFunctions?.sql ?? "")) await session.run(statement);
});
afterAll(() => session.close());

/** Raw values of one type. */
interface Values {
  /** What each of them is made of. */
  readonly made: readonly string[];
  /** A value of what it is made of, the text `v`, in DuckDB and in Spark. */
  readonly duckDb: string;
  readonly spark: string;
}

const EXECUTION_MOMENT = executionMoment("2020-05-29");
const HIGHEST = 2n ** 63n - 1n;

function sampled<Value>(values: fc.Arbitrary<Value>, count: number): Value[] {
  return fc.sample(values, { numRuns: count, seed: 10 });
}

function texts(...samples: readonly (readonly string[])[]): Values {
  return {
    made: [...new Set(samples.flat())].map((text) => Buffer.from(text).toString("hex")),
    duckDb: "decode(unhex(v))",
    spark: "raw_text(CAST(unhex(v) AS STRING))",
  };
}

function numbers(values: readonly (bigint | number)[], duckDb: string, spark: string): Values {
  const made = [...new Set(values)].map((value) => (Object.is(value, -0) ? "-0" : String(value)));
  return { made, duckDb, spark };
}

/** A shape that feeds are full of, and all that is one character apart from it. */
function nearly(shape: string): string[] {
  const characters = [...Array.from(" \t\f.-+:TtZ0249"), "٣", "\u0085", "\u2028"];
  return Array.from({ length: shape.length + 1 }, (_, at) => [
    shape.slice(0, at) + shape.slice(at + 1),
    ...characters.flatMap((character) => [
      shape.slice(0, at) + character + shape.slice(at + 1),
      shape.slice(0, at) + character + shape.slice(at),
    ]),
  ]).flat();
}

/** The first shape with a blank or a point in several places: there DuckDB's cast takes some. */
function blanksInside(): string[] {
  const put = Array.from(" \t\n\v\f\rT.0249-");
  return put.flatMap((day) =>
    put.flatMap((hour) => put.map((second) => `2018-07-2${day} ${hour}8:59:3${second}+00:00`)),
  );
}

/** The first and the last microsecond that Spark is to read; DuckDB reads files with others. */
const [FIRST, LAST] = [-62_135_596_800_000_000n, 253_402_300_799_999_999n];
const MOMENTS = [0n, 1n, -1n, 120_000n, 999_999n, -999_999n, FIRST, FIRST + 1n, LAST - 1n, LAST].concat(
  sampled(fc.bigInt(-(10n ** 16n), 10n ** 16n), 300),
  sampled(fc.bigInt(FIRST, LAST), 300),
);

const VALUES: Record<string, Values> = {
  "texts that feeds and people write for moments": texts(
    sampled(momentTexts(EXECUTION_MOMENT), 2_500).filter((text) => text.length < 200),
  ),
  "texts for numbers": texts(sampled(numberTexts(), 1_500).filter((text) => text.length < 200)),
  "texts for countries": texts(sampled(countryTexts(), 500).filter((text) => text.length < 200)),
  "shapes of moments in which a character is changed": texts(
    ...[
      "2018-07-21",
      "2018-07-21 18:59:38",
      "2018-07-21 18:59:38+00:00",
      "2018-07-21 18:59:38.123456",
      "2018-07-21T08:09:03.123456789-05:30",
      "2018-12-31 24:00:00",
      "2018-12-31 24:00:00.000+0200",
    ].map(nearly),
  ),
  "shapes of moments in which blanks stand for digits": texts(blanksInside()),
  TIMESTAMP: numbers(
    MOMENTS,
    "make_timestamp(CAST(v AS BIGINT))",
    "raw_moment(CAST(timestamp_micros(CAST(v AS BIGINT)) AS TIMESTAMP_NTZ))",
  ),
  "TIMESTAMP WITH TIME ZONE": numbers(
    MOMENTS,
    "make_timestamptz(CAST(v AS BIGINT))",
    "raw_zoned(timestamp_micros(CAST(v AS BIGINT)))",
  ),
  DATE: numbers(
    [0, -1, 2_932_896, -719_162].concat(sampled(fc.integer({ min: -719_162, max: 2_932_896 }), 300)),
    "DATE '1970-01-01' + CAST(v AS INTEGER)",
    "raw_text(CAST(date_from_unix_date(CAST(v AS INT)) AS STRING))",
  ),
  BIGINT: numbers(
    [0n, 1n, -1n, 2_147_483_647n, 2_147_483_648n, HIGHEST, -HIGHEST - 1n],
    "CAST(v AS BIGINT)",
    "raw_whole(CAST(v AS BIGINT))",
  ),
  DOUBLE: numbers(
    [4.5, 0, -0, 0.1, -1, 1e15, 1e16, 2e23, 1e23, 1e300, 1e-4, 9.5e-5, 2 ** 53, 2 ** 63, -(2 ** 63)]
      .concat([Infinity, -Infinity, NaN, 9_999_999_999_999_998, 0.1 + 0.2, 16_777_217, Math.fround(0.1)])
      .concat(
        // Java writes this one with a digit that it has rounded up.
        5_548_900_148_496_574_464,
        sampled(fc.double({ noNaN: true }), 2_500),
        sampled(fc.double({ min: -1e-307, max: 1e-307, noNaN: true }), 500),
      )
      .concat(
        sampled(fc.tuple(fc.integer(), fc.constantFrom(1, 0.1, 0.01, 1e-5, 1e-9)), 600).map(
          ([whole, unit]) => whole * unit,
        ),
      ),
    "CAST(v AS DOUBLE)",
    "raw_number(CAST(v AS DOUBLE))",
  ),
};

/** What is asked of a value, in words that both engines know. */
const ASKED = {
  text: (value: string) => `hex(as_text(${value}))`,
  stripped: (value: string) => `hex(stripped(as_text(${value})))`,
  country: (value: string) => `hex(country_from(stripped(as_text(${value}))))`,
  reason: (value: string) =>
    `reject_reason('c', country_from(stripped(as_text(${value}))), as_text(${value}))`,
  number: (value: string) => `CAST(whole_number(${value}) AS STRING)`,
  amount: (value: string) => `CAST(integer_from(1, whole_number(${value})) AS STRING)`,
};

/** A moment has a text of its own in each engine, and one number in both. */
const MICROSECONDS = {
  duckDb: (value: string) => `CAST(epoch_us(moment(${value})) AS STRING)`,
  spark: (value: string) => `CAST(unix_micros(CAST(moment(${value}) AS TIMESTAMP_LTZ)) AS STRING)`,
};

/** The query for all that is asked. A column of moments is asked for no number, and one of numbers for no moment. */
function queryOf(
  name: string,
  made: readonly string[],
  value: string,
  microseconds: (value: string) => string,
) {
  const left = /^(BIGINT|DOUBLE)$/.test(name) ? ["moment"] : /^[A-Z]/.test(name) ? ["number", "amount"] : [];
  const asked = Object.entries({ ...ASKED, moment: microseconds }).filter(
    ([question]) => !left.includes(question),
  );
  const values = made.map((text) => `(${literal(text)})`).join(", ");
  return `SELECT v, ${asked.map(([question, ask]) => `${ask(value)} AS ${question}`).join(", ")}
    FROM (VALUES ${values}) AS made(v) ORDER BY v`;
}

describe("the functions of the models", () => {
  it.each(Object.entries(VALUES))(
    "return the same in both engines for %s",
    async (name, { made, duckDb, spark }) => {
      const inSpark = await session.rows(queryOf(name, made, spark, MICROSECONDS.spark));
      const inDuckDb = await rowsOf(queryOf(name, made, duckDb, MICROSECONDS.duckDb));
      expect(inSpark).toHaveLength(made.length);
      expect(inSpark.filter((row, place) => !isDeepStrictEqual(row, inDuckDb[place]))).toEqual([]);
    },
  );

  it("return the same certainty of an answer in both engines", async () => {
    const rival = fc.integer({ min: 1, max: 12 }).chain((count) => fc.constantFrom(count, -count));
    const patterns = sampled(
      fc.tuple(fc.integer({ min: 13, max: 20 }), fc.array(rival, { maxLength: 4 })),
      150,
    );
    const values = patterns.map(([winner, rivals], place) => {
      const total = rivals.reduce((sum, count) => sum + Math.abs(count), winner);
      return `(${place}, ${winner}, ${total}, '${rivals.join(" ")}')`;
    });
    const asked = (list: string) =>
      `SELECT place, CAST(certainty AS STRING) AS certainty, certainty_word(certainty) AS word FROM (
         SELECT place, chance_to_win_again(CAST(winner AS BIGINT), CAST(total AS BIGINT), ${list}) AS certainty
         FROM (VALUES ${values.join(", ")}) AS patterns(place, winner, total, rivals)
       ) ORDER BY place`;
    const inSpark = await session.rows(
      asked("CASE WHEN rivals <> '' THEN CAST(split(rivals, ' ') AS ARRAY<BIGINT>) END"),
    );
    const inDuckDb = await rowsOf(
      asked("CASE WHEN rivals <> '' THEN CAST(string_split(rivals, ' ') AS BIGINT[]) END"),
    );
    expect(inSpark).toHaveLength(patterns.length);
    expect(inSpark.filter((row, place) => !isDeepStrictEqual(row, inDuckDb[place]))).toEqual([]);
  });
});
