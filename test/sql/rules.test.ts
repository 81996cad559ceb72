import { beforeAll, describe, expect, it } from "@jest/globals";
import type { Row } from "../../src/engine/builder.js";
import { type RunReport } from "../../src/record/run-record.js";
import { times, voucher, type RawVoucher } from "../raw-vouchers.js";
import { readPartition, runOver } from "../run/running.js";
import type { Workspace } from "../workspace.js";

/*
 * One run over the vouchers of all cases. Each case has its own country, or its own first order, which is kept as it came and decides
 * nothing.
 */

const FREQUENT_SEGMENTS: readonly (readonly [number, string])[] = [
  [4, "0-4"],
  [5, "5-13"],
  [13, "5-13"],
  [14, "13-37"],
  [37, "13-37"],
  [38, "37+"],
];

const RECENCY_SEGMENTS: readonly (readonly [string, number, string])[] = [
  ["2020-05-29 00:00:00", 0, "0-30"],
  ["2020-05-28 23:59:59.999999", 1, "0-30"],
  ["2020-04-29 00:00:00", 30, "0-30"],
  ["2020-04-28 23:59:59", 31, "30-60"],
  ["2020-03-30", 60, "30-60"],
  ["2020-03-29", 61, "60-90"],
  ["2020-02-29", 90, "60-90"],
  ["2020-02-28", 91, "90-120"],
  ["2020-01-30", 120, "90-120"],
  ["2020-01-29", 121, "120-180"],
  ["2019-12-01", 180, "120-180"],
  ["2019-11-30", 181, "180+"],
];

const REJECTED: readonly (readonly [Partial<RawVoucher>, string])[] = [
  [{ timestamp: null }, "timestamp_missing"],
  [{ timestamp: " \t" }, "timestamp_missing"],
  [{ timestamp: "yesterday" }, "timestamp_invalid"],
  [{ timestamp: "infinity" }, "timestamp_invalid"],
  [{ country_code: null }, "country_code_missing"],
  [{ country_code: "\r\n" }, "country_code_missing"],
  [{ country_code: "x".repeat(65) }, "country_code_invalid"],
  [{ country_code: "🙂".repeat(65) }, "country_code_invalid"],
  [{ country_code: "Pe\u0000ru" }, "country_code_invalid"],
  [{ country_code: "\u0000" }, "country_code_invalid"],
  [{ last_order_ts: "" }, "last_order_ts_missing"],
  [{ last_order_ts: "2020-02-30" }, "last_order_ts_invalid"],
  [{ total_orders: "" }, "total_orders_missing"],
  [{ total_orders: "-1" }, "total_orders_invalid"],
  [{ total_orders: "4.5" }, "total_orders_invalid"],
  [{ total_orders: "2147483648" }, "total_orders_invalid"],
  [{ total_orders: "NaN" }, "total_orders_invalid"],
  [{ voucher_amount: null }, "voucher_amount_missing"],
  [{ voucher_amount: "0" }, "voucher_amount_invalid"],
  [{ voucher_amount: "2640.01" }, "voucher_amount_invalid"],
  [{ voucher_amount: "NULL" }, "voucher_amount_invalid"],
  // Also one that would be out of scope.
  [{ timestamp: "2021-01-01", voucher_amount: "0" }, "voucher_amount_invalid"],
];

const AT_THE_EDGE: readonly Partial<RawVoucher>[] = [
  { country_code: "🙂".repeat(64) },
  { country_code: "no orders", total_orders: "0" },
  { country_code: "the most orders", total_orders: "2147483647" },
  { country_code: "the smallest amount", voucher_amount: "1" },
  { country_code: "the largest amount", voucher_amount: "2147483647" },
];

/** Told apart by case and accent; and words that are no country elsewhere. */
const NAMES = ["peru", "Peru", "Perú", "PERU", "🇵🇪", "NULL", "NA"];

const UNSORTED_NAMES = ["ab", "Zz", "Äa", "🙂", "\ufffd", "a b"];
const SORTED_NAMES = ["Zz", "a b", "ab", "Äa", "\ufffd", "🙂"];

const WITHOUT_FIRST_ORDER = [null, "soon", " "];

const ofCountry = (country_code: string, ...changes: readonly Partial<RawVoucher>[]) =>
  changes.map((change) => voucher({ ...change, country_code }));

const valid = [
  voucher({
    timestamp: " 2020-05-01T10:00:00.123456789+02:00",
    country_code: " \tMéxico ",
    total_orders: " 7.0",
    voucher_amount: "2640.0",
  }),
  ...ofCountry("three alike", ...times(3, {})),
  ...ofCountry("without first order", ...WITHOUT_FIRST_ORDER.map((first_order_ts) => ({ first_order_ts }))),
  ...NAMES.flatMap((name) => ofCountry(name, {})),
  ...FREQUENT_SEGMENTS.flatMap(([orders]) => ofCountry(`${orders} orders`, { total_orders: String(orders) })),
  ...RECENCY_SEGMENTS.flatMap(([last_order_ts]) => ofCountry(`last at ${last_order_ts}`, { last_order_ts })),
  ...AT_THE_EDGE.map((changes) => voucher(changes)),
  ...ofCountry(
    "most used",
    ...times(3, { voucher_amount: "3520" }),
    ...times(2, { voucher_amount: "2640" }),
    { voucher_amount: "1000", total_orders: "40" },
  ),
  ...ofCountry("a neighbour", ...times(4, { voucher_amount: "4400" })),
  ...ofCountry("a tie", ...times(2, { voucher_amount: "10000" }), ...times(2, { voucher_amount: "9000" }), {
    voucher_amount: "100",
  }),
  ...UNSORTED_NAMES.flatMap((name) =>
    ofCountry(name, ...["40", "1", "20", "7"].map((total_orders) => ({ total_orders }))),
  ),
  ...ofCountry(
    "by recency",
    { last_order_ts: "2019-01-01", voucher_amount: "1" },
    { last_order_ts: "2020-05-01", voucher_amount: "2" },
    { last_order_ts: "2020-02-01", voucher_amount: "3" },
    { last_order_ts: "2019-12-15", voucher_amount: "4" },
  ),
  ...ofCountry(
    "over segments",
    ...times(3, { voucher_amount: "3520", total_orders: "2" }),
    ...times(2, { voucher_amount: "2640", total_orders: "2" }),
    ...times(2, { voucher_amount: "2640", total_orders: "50" }),
  ),
  ...ofCountry(
    "a tie over segments",
    ...times(2, { voucher_amount: "3520", total_orders: "2" }),
    ...times(2, { voucher_amount: "2640", total_orders: "50" }),
  ),
  ...ofCountry("ranked", ...times(3, { voucher_amount: "3520" }), { voucher_amount: "2640" }),
];

const rejected = REJECTED.map(([changes], index) =>
  voucher({ first_order_ts: `rejected ${index}`, ...changes }),
);

const execution_date = "2020-05-29T000000";

let ofRun: RunReport;
/** The rows of a table, in their order. */
const tables = new Map<string, Row[]>();

beforeAll(async () => {
  const { settings, report } = await runOver([...valid, ...rejected], undefined, { maxRejectedShare: "1" });
  ofRun = report;
  for (const table of [
    "curated.vouchers",
    "curated.vouchers_rejected",
    "provision.voucher_frequent_most_used",
    "provision.voucher_recency_most_used",
    "provision.voucher_country_most_used",
    "provision.voucher_amount_usage",
    "provision.voucher_answers",
  ])
    tables.set(table, await readPartition(settings, table));
});

function rowsOf(table: string, ...countries: readonly string[]): Row[] {
  const isOf = ({ country_code }: Row) => countries.some((country) => country === country_code);
  return (tables.get(table) ?? []).filter(isOf);
}

/** The values of some columns of a country's curated vouchers. */
function curated(country: string, ...columns: readonly string[]): Row[] {
  return rowsOf("curated.vouchers", country).map((row) => pick(row, columns));
}

function pick(row: Row, columns: readonly string[]): Row {
  return Object.fromEntries(columns.map((column) => [column, row[column] ?? null]));
}

it("every voucher of every case is accounted for", () => {
  expect(ofRun.measures["measures.row_accounting"]).toEqual([
    {
      rows_read: String(valid.length + rejected.length),
      rejected: String(rejected.length),
      out_of_scope: "0",
      curated: String(valid.length),
    },
  ]);
  expect(tables.get("curated.vouchers")).toHaveLength(valid.length);
  expect(tables.get("curated.vouchers_rejected")).toHaveLength(rejected.length);
});

describe("curated vouchers", () => {
  it("are typed, trimmed and in UTC", () => {
    expect(rowsOf("curated.vouchers", "México")).toEqual([
      {
        timestamp: "2020-05-01 08:00:00.123456",
        country_code: "México",
        last_order_ts: "2020-04-20 00:00:00",
        first_order_ts: "2019-01-01 00:00:00",
        total_orders: 7,
        voucher_amount: 2640,
        days_since_last_order: 39,
        frequent_segment: "5-13",
        recency_segment: "30-60",
        execution_date,
      },
    ]);
  });

  it("count identical rows each", () => {
    expect(curated("three alike", "voucher_amount")).toHaveLength(3);
  });

  it("keep a first order that is missing or cannot be read as NULL", () => {
    expect(curated("without first order", "first_order_ts")).toEqual(
      WITHOUT_FIRST_ORDER.map(() => ({ first_order_ts: null })),
    );
  });

  it.each(NAMES)("tell the country %s from others, by case and accent", (name) => {
    expect(curated(name, "country_code")).toEqual([{ country_code: name }]);
  });

  it.each(FREQUENT_SEGMENTS)("with %d orders are in the frequent segment %s", (orders, segment) => {
    expect(curated(`${orders} orders`, "frequent_segment")).toEqual([{ frequent_segment: segment }]);
  });

  it.each(RECENCY_SEGMENTS)(
    "whose last order was at %s are %d days and in the recency segment %s",
    (last_order_ts, days, segment) => {
      expect(curated(`last at ${last_order_ts}`, "days_since_last_order", "recency_segment")).toEqual([
        { days_since_last_order: days, recency_segment: segment },
      ]);
    },
  );

  it.each(AT_THE_EDGE)("are valid at the edge, with %j", (changes) => {
    const row = voucher(changes);
    expect(rowsOf("curated.vouchers", row.country_code ?? "")).toMatchObject([
      {
        country_code: row.country_code,
        total_orders: Number(row.total_orders),
        voucher_amount: Number(row.voucher_amount),
      },
    ]);
  });
});

describe("a run at a moment", () => {
  let moment: Workspace & { report: RunReport };
  const MOMENT = "2020-05-29T06:00:00";

  beforeAll(async () => {
    moment = await runOver(
      [
        voucher({ timestamp: "2020-05-29 06:00:00" }),
        voucher({ timestamp: "2020-05-29 06:00:00.000001" }),
        voucher({ last_order_ts: "2020-05-29 06:00:00" }),
        voucher({ last_order_ts: "2020-05-29 06:00:00.000001" }),
        voucher({ timestamp: "2020-05-29 08:00:00+02:00" }),
        voucher({ timestamp: "2020-05-29 05:59:59-00:30" }),
        voucher({ country_code: "Chile", last_order_ts: "2020-05-28 23:00:00" }),
      ],
      MOMENT,
    );
  });

  it("takes what was known at it, to the microsecond, and leaves the rest out of scope", async () => {
    expect(moment.report.measures["measures.row_accounting"]).toEqual([
      { rows_read: "7", rejected: "0", out_of_scope: "3", curated: "4" },
    ]);
    const rows = await readPartition(moment.settings, "curated.vouchers", MOMENT);
    expect(rows.map((row) => pick(row, ["country_code", "timestamp", "last_order_ts"]))).toEqual([
      { country_code: "Chile", timestamp: "2020-05-01 10:00:00", last_order_ts: "2020-05-28 23:00:00" },
      { country_code: "Peru", timestamp: "2020-05-01 10:00:00", last_order_ts: "2020-05-29 06:00:00" },
      { country_code: "Peru", timestamp: "2020-05-29 06:00:00", last_order_ts: "2020-04-20 00:00:00" },
      { country_code: "Peru", timestamp: "2020-05-29 06:00:00", last_order_ts: "2020-04-20 00:00:00" },
    ]);
  });

  it("counts days by the date of the execution date, not by its hour", async () => {
    const [row] = await readPartition(moment.settings, "curated.vouchers", MOMENT);
    expect(row).toMatchObject({ country_code: "Chile", days_since_last_order: 1 });
  });

  it("without rejected vouchers has a file without rows for them", async () => {
    expect(await readPartition(moment.settings, "curated.vouchers_rejected", MOMENT)).toEqual([]);
  });
});

describe("rejected vouchers", () => {
  it.each(REJECTED.map(([changes, reason], index) => [changes, reason, index] as const))(
    "with %j say %s and keep what came",
    (_changes, reason, index) => {
      const ofCase = (tables.get("curated.vouchers_rejected") ?? []).filter(
        ({ first_order_ts }) => first_order_ts === `rejected ${index}`,
      );
      expect(ofCase).toEqual([
        {
          ...rejected[index],
          reject_reasons: [reason],
          source_file: "vouchers/part.parquet",
          execution_date,
        },
      ]);
    },
  );

  it("list every reason in the order of the columns", async () => {
    const nothing = {
      timestamp: "x",
      country_code: " ",
      last_order_ts: null,
      total_orders: "x",
      voucher_amount: "",
    };
    const { settings, report } = await runOver([
      ...times(20, voucher()),
      voucher(nothing),
      voucher({ total_orders: "x" }),
    ]);
    const rows = await readPartition(settings, "curated.vouchers_rejected");
    expect(rows.map(({ reject_reasons }) => reject_reasons)).toContainEqual([
      "timestamp_invalid",
      "country_code_missing",
      "last_order_ts_missing",
      "total_orders_invalid",
      "voucher_amount_missing",
    ]);
    expect(report.measures["measures.rejected_by_reason"]).toEqual([
      { reject_reason: "total_orders_invalid", rejected: "2" },
      { reject_reason: "country_code_missing", rejected: "1" },
      { reject_reason: "last_order_ts_missing", rejected: "1" },
      { reject_reason: "timestamp_invalid", rejected: "1" },
      { reject_reason: "voucher_amount_missing", rejected: "1" },
    ]);
  });
});

describe("the most used voucher", () => {
  const row = (
    country_code: string,
    frequent_segment: string,
    voucher_amount: number,
    assignments: string,
    all: string,
  ) => ({
    country_code,
    frequent_segment,
    voucher_amount,
    assignments,
    segment_assignments: all,
    execution_date,
  });

  it("is the amount with the most vouchers of the country and segment", () => {
    expect(rowsOf("provision.voucher_frequent_most_used", "most used", "a neighbour")).toEqual([
      row("a neighbour", "5-13", 4400, "4", "4"),
      row("most used", "5-13", 3520, "3", "5"),
      row("most used", "37+", 1000, "1", "1"),
    ]);
  });

  it("is the smaller amount where two are used equally often", () => {
    expect(rowsOf("provision.voucher_frequent_most_used", "a tie")).toEqual([
      row("a tie", "5-13", 9000, "2", "5"),
    ]);
  });

  it("is sorted by country in code points, and by segment as the segments are", () => {
    const rows = rowsOf("provision.voucher_frequent_most_used", ...UNSORTED_NAMES);
    expect(rows.map(({ country_code, frequent_segment }) => [country_code, frequent_segment])).toEqual(
      SORTED_NAMES.flatMap((name) => ["0-4", "5-13", "13-37", "37+"].map((segment) => [name, segment])),
    );
  });

  it("is counted by recency, too", () => {
    const rows = rowsOf("provision.voucher_recency_most_used", "by recency");
    expect(rows.map(({ recency_segment, voucher_amount }) => [recency_segment, voucher_amount])).toEqual([
      ["0-30", 2],
      ["90-120", 3],
      ["120-180", 4],
      ["180+", 1],
    ]);
  });
});

describe("the most used amount of a country", () => {
  it("counts every voucher once, whatever its segments", () => {
    expect(rowsOf("provision.voucher_country_most_used", "over segments", "the smallest amount")).toEqual([
      {
        country_code: "over segments",
        voucher_amount: 2640,
        assignments: "4",
        country_assignments: "7",
        execution_date,
      },
      {
        country_code: "the smallest amount",
        voucher_amount: 1,
        assignments: "1",
        country_assignments: "1",
        execution_date,
      },
    ]);
  });

  it("gives a tie to the smaller amount", () => {
    expect(rowsOf("provision.voucher_country_most_used", "a tie over segments")).toMatchObject([
      { voucher_amount: 2640 },
    ]);
  });
});

describe("the answer of a country and segment", () => {
  it("comes with its runner-up, and with its certainty as a number and a word", () => {
    const answer = {
      country_code: "ranked",
      voucher_amount: 3520,
      assignments: "3",
      segment_assignments: "4",
    };
    const rest = { runner_up: 2640, runner_up_assignments: "1", certainty: 0.738, certainty_word: "toss-up" };
    expect(rowsOf("provision.voucher_answers", "ranked")).toEqual([
      { ...answer, ...rest, segment_kind: "frequent_segment", segment: "5-13", execution_date },
      { ...answer, ...rest, segment_kind: "recency_segment", segment: "30-60", execution_date },
    ]);
  });

  it("has no runner-up if all vouchers are of one amount, and is not certain for that", () => {
    expect(rowsOf("provision.voucher_answers", "three alike", "a neighbour")).toMatchObject([
      { country_code: "a neighbour", runner_up: null, certainty: 0.942, certainty_word: "likely" },
      { country_code: "a neighbour", runner_up: null, certainty: 0.942, certainty_word: "likely" },
      { country_code: "three alike", runner_up: null, certainty: 0.844, certainty_word: "likely" },
      { country_code: "three alike", runner_up: null, certainty: 0.844, certainty_word: "likely" },
    ]);
  });

  it("has the smaller of two amounts that are used equally often, and the other one as its runner-up", () => {
    expect(rowsOf("provision.voucher_answers", "a tie")).toMatchObject([
      { voucher_amount: 9000, runner_up: 10000, assignments: "2", runner_up_assignments: "2" },
      { voucher_amount: 9000, runner_up: 10000, assignments: "2", runner_up_assignments: "2" },
    ]);
  });
});

describe("the usage of voucher amounts", () => {
  it("ranks all amounts of a country and segment with their shares", () => {
    const ranked = { country_code: "ranked", segment_assignments: "4", execution_date };
    const first = { voucher_amount: 3520, assignments: "3", segment_share: 0.75, amount_rank: 1 };
    const second = { voucher_amount: 2640, assignments: "1", segment_share: 0.25, amount_rank: 2 };
    expect(rowsOf("provision.voucher_amount_usage", "ranked")).toEqual([
      { ...ranked, segment_kind: "frequent_segment", segment: "5-13", ...first },
      { ...ranked, segment_kind: "frequent_segment", segment: "5-13", ...second },
      { ...ranked, segment_kind: "recency_segment", segment: "30-60", ...first },
      { ...ranked, segment_kind: "recency_segment", segment: "30-60", ...second },
    ]);
  });
});
