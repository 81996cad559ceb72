import { afterEach, beforeAll, describe, expect, it, jest } from "@jest/globals";
import { DefaultQueryCompiler, Kysely, type CompiledQuery } from "kysely";
import { planOfRun, type PlannedRun } from "../../src/introspect/planned-run.js";
import type { RunReport } from "../../src/record/run-record.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { readTable } from "../consumption/reading.js";
import { putParquet } from "../duckdb.js";
import { PLACE } from "../place.js";
import { EXECUTION_DATE, readPartition, run } from "../run/running.js";
import { makeWorkspace, type Workspace } from "../workspace.js";

const COUNTRIES = 700;
/** A country has so many segments here, in each of which one amount is used. */
const SEGMENTS = 10;
const TABLE = "voucher_amount_usage";
const ROWS = COUNTRIES * SEGMENTS;
/** SQLite has nobody on the way to wait for, and takes shorter statements faster. */
const ROWS_PER_UPSERT = PLACE.endsWith("sqlite") ? 111 : 1_000;
const ROWS_PER_REMOVAL = 250;
const ROWS_PER_PAGE = 5_000;

/**
 * Puts one voucher of each pair of segments in each country. What the names begin with is in another order by its code points than
 * by UTF-16, by the alphabet, or without regard to case and accents.
 */
function putCountries(rawZone: string, countries: number, amount: number): Promise<void> {
  return putParquet(
    rawZone,
    "vouchers/part.parquet",
    `SELECT
      '2020-05-01 10:00:00' AS "timestamp",
      ['a', 'A', 'b', 'é', '～', '😀'][country % 6 + 1] || ' ' || country AS country_code,
      CAST(TIMESTAMP '2020-05-01 00:00:00' - to_days(days) AS VARCHAR) AS last_order_ts,
      '2015-01-01 00:00:00' AS first_order_ts,
      orders AS total_orders,
      ${amount.toString()} AS voucher_amount
    FROM range(${countries.toString()}) AS countries(country), unnest([2, 9, 20, 50]) AS by_orders(orders),
      unnest([1, 20, 50, 80, 110, 300]) AS by_days(days)`,
  );
}

/** Takes down what is built to be said to the database of one table, and which batches of rows are sent. */
function listen(): () => {
  reads: string[];
  upserts: string[];
  removals: string[];
  sent: { upserts: number; removals: number };
  all: string[];
} {
  const compiled = jest.spyOn(DefaultQueryCompiler.prototype, "compileQuery");
  const executed = jest.spyOn(Kysely.prototype, "executeQuery");
  return () => {
    const batches = executed.mock.calls.map(([query]) => (query as CompiledQuery).sql.replaceAll("`", '"'));
    const sent = (words: string) => batches.filter((sql) => sql.startsWith(`${words} "${TABLE}"`)).length;
    const all = compiled.mock.results.map(({ value }) => (value as CompiledQuery).sql.replaceAll("`", '"'));
    const beginning = (words: string) => all.filter((sql) => sql.startsWith(`${words} "${TABLE}"`));
    const reads = beginning("select * from").filter((sql) => !sql.includes('"amount_rank"'));
    return {
      reads,
      upserts: beginning("insert into"),
      removals: beginning("delete from"),
      sent: { upserts: sent("insert into"), removals: sent("delete from") },
      all,
    };
  };
}

const changeOf = ({ published }: RunReport) => published?.tables.find(({ table }) => table === TABLE);
const statements = (rows: number, perStatement: number) => Math.ceil(rows / perStatement);
/** One for all batches that are full, and one for the rest. */
const statementsBuilt = (rows: number, perStatement: number) => (rows % perStatement === 0 ? 1 : 2);
/** A page that is full is followed by one more, be it empty. */
const pages = (rows: number) => Math.floor(rows / ROWS_PER_PAGE) + 1;

/** All that the table holds, as it was to be published. */
async function expectPublished({ settings }: Workspace): Promise<void> {
  const counted = await readTable(settings, `SELECT count(*) AS number FROM ${TABLE}`);
  const amounts = await readTable(
    settings,
    `SELECT country_code, segment, voucher_amount FROM ${TABLE} ORDER BY country_code, segment_kind, segment`,
  );
  const partition = await readPartition(settings, `provision.${TABLE}`);
  expect(counted).toEqual([{ number: partition.length }]);
  const told = (rows: unknown[]) =>
    rows
      .map((row) => row as Record<string, unknown>)
      .map(({ country_code, segment, voucher_amount }) =>
        JSON.stringify([country_code, segment, voucher_amount]),
      )
      .sort();
  expect(told(amounts)).toEqual(told(partition));
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe("a publish of many rows", () => {
  let workspace: Workspace;
  let planned: PlannedRun;
  let first: ReturnType<ReturnType<typeof listen>>;
  let report: RunReport;
  beforeAll(async () => {
    workspace = await makeWorkspace();
    const { settings } = workspace;
    await putCountries(settings.zones.raw, COUNTRIES, 100);
    const { signal } = new AbortController();
    planned = await planOfRun(settings, parseExecutionDate(EXECUTION_DATE), signal, () => undefined);
    const hear = listen();
    report = await run(settings);
    first = hear();
  });

  it("sends them in few statements, and reads them back page by page, like in the plan", async () => {
    expect(changeOf(report)).toMatchObject({ rows: ROWS, upserted: ROWS, removed: 0 });
    expect(first.sent).toEqual({ upserts: statements(ROWS, ROWS_PER_UPSERT), removals: 0 });
    expect(first.upserts).toHaveLength(statementsBuilt(ROWS, ROWS_PER_UPSERT));
    expect(first.removals).toEqual([]);
    expect(first.reads).toHaveLength(1 + pages(ROWS));
    await expectPublished(workspace);
    const ofTable = planned.publish.statements.map(({ sql }) => sql.replaceAll("`", '"'));
    expect(first.reads.filter((sql) => !ofTable.includes(sql))).toEqual([]);
    const following = planned.publish.statements.filter(({ when }) => when === "for each further page");
    expect(
      following.map(({ sql }) => sql.replaceAll("`", '"')).filter((sql) => first.all.includes(sql)),
      // Of the amounts and of the answers, each in two places.
    ).toHaveLength(4);
  });

  it("reads existing rows once, and writes nothing", async () => {
    const hear = listen();
    expect(changeOf(await run(workspace.settings))).toMatchObject({ rows: ROWS, upserted: 0, removed: 0 });
    const { reads, upserts, removals, sent } = hear();
    expect([upserts, removals, sent]).toEqual([[], [], { upserts: 0, removals: 0 }]);
    expect(reads).toHaveLength(pages(ROWS));
  });

  it("removes old rows in few statements, and writes only the differences", async () => {
    const { settings } = workspace;
    const remaining = 40;
    await readTable(settings, `UPDATE ${TABLE} SET assignments = 999 WHERE country_code = 'A 1'`);
    await putCountries(settings.zones.raw, remaining, 100);
    const hear = listen();
    expect(changeOf(await run(settings))).toMatchObject({
      rows: remaining * SEGMENTS,
      upserted: SEGMENTS,
      removed: ROWS - remaining * SEGMENTS,
    });
    const gone = ROWS - remaining * SEGMENTS;
    const { upserts, removals, sent } = hear();
    expect(sent).toEqual({ upserts: 1, removals: statements(gone, ROWS_PER_REMOVAL) });
    expect(upserts).toHaveLength(1);
    expect(removals).toHaveLength(statementsBuilt(gone, ROWS_PER_REMOVAL));
    await expectPublished(workspace);
  });

  it("publishes nothing if the database keeps other rows than it received, and names them", async () => {
    const { settings } = workspace;
    const before = await readTable(settings, "SELECT * FROM publications");
    await readTable(
      settings,
      PLACE.endsWith("sqlite")
        ? `CREATE TRIGGER spoil BEFORE INSERT ON ${TABLE} WHEN NEW.country_code = 'A 7' AND NEW.segment = '37+'
            BEGIN SELECT RAISE(IGNORE); END`
        : `CREATE TRIGGER spoil BEFORE INSERT ON ${TABLE} FOR EACH ROW
            SET NEW.assignments = IF(NEW.country_code = 'A 7' AND NEW.segment = '37+', 999, NEW.assignments)`,
    );
    await putCountries(settings.zones.raw, COUNTRIES, 300);
    await expect(run(settings)).rejects.toMatchObject({
      code: "AUDIT_FAILED",
      message: expect.stringMatching(
        /voucher_amount_usage returns 1 rows .*(none|999,.*) for \["A 7","frequent_segment","37\+",300,6,/,
      ),
    });
    await readTable(settings, "DROP TRIGGER spoil");
    expect(await readTable(settings, "SELECT * FROM publications")).toEqual(before);
    await run(settings);
    await expectPublished(workspace);
  });
});
