import { afterAll, beforeAll, describe, expect, it } from "@jest/globals";
import { readAmountUse, readTimelines, type AmountUse } from "../../src/consumption/amount-usage.js";
import type { Consumption } from "../../src/consumption/consumption.js";
import { openConsumptionForReading } from "../../src/consumption/open-consumption.js";
import { readPublication } from "../../src/consumption/read-publications.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import type { Publication } from "../../src/voucher/publication-identity.js";
import type { Place } from "../../src/voucher/published-answers.js";
import { putVouchers, times, voucher } from "../raw-vouchers.js";
import { run, runOver } from "../run/running.js";

/** The places of a country with 7 orders, and with 2. */
const some = (countryCode: string): Place => ({ countryCode, kind: "frequent_segment", segment: "5-13" });
const few = (countryCode: string): Place => ({ countryCode, kind: "frequent_segment", segment: "0-4" });

const FIRST = [voucher({ voucher_amount: "10" }), voucher({ country_code: "Chile", voucher_amount: "70" })];
const SECOND = [
  ...times(2, voucher({ voucher_amount: "20" })),
  voucher({ country_code: "Perú", voucher_amount: "30" }),
];
/** Amounts that text would put into another order, two of which are used equally often. */
const THIRD = [
  ...times(3, voucher({ voucher_amount: "900" })),
  ...times(2, voucher({ voucher_amount: "1000" })),
  ...times(2, voucher({ voucher_amount: "50" })),
  voucher({ voucher_amount: "7" }),
  voucher({ total_orders: "2", voucher_amount: "8" }),
  voucher({ country_code: "peru", voucher_amount: "1" }),
  voucher({ country_code: "Perú", voucher_amount: "2" }),
  voucher({ country_code: "Chile", voucher_amount: "71" }),
];

let database: Consumption;
let publication: Publication;

async function open({ consumptionUrl }: Settings): Promise<Consumption> {
  const opened = await openConsumptionForReading(consumptionUrl);
  if (opened === undefined) throw new Error("the database is not there");
  return opened;
}

async function publicationOf(date: string): Promise<Publication> {
  const found = await readPublication(database, parseExecutionDate(date).partitionKey);
  if (found === undefined) throw new Error(`${date} is not published`);
  return found;
}

beforeAll(async () => {
  const { settings } = await runOver(THIRD, "2020-05-29");
  // Neither the order in which dates are published nor that in which they are written is theirs.
  for (const [date, vouchers] of [
    ["2020-05-27", FIRST],
    ["2020-05-28T12:00:00", SECOND],
  ] as const) {
    await putVouchers(settings.zones.raw, vouchers);
    await run(settings, date);
  }
  database = await open(settings);
  publication = await publicationOf("2020-05-29");
});

afterAll(() => database.close());

describe("the amounts of a place", () => {
  const read = (place: Place, limit = 10) => readAmountUse(database, publication, place, limit);
  const use = (voucherAmount: number, assignments: number): AmountUse => ({ voucherAmount, assignments });
  const all = [use(900, 3), use(50, 2), use(1_000, 2), use(7, 1)];

  it("come with their counts, the most used one first, the smaller one of two first", async () => {
    expect(await read(some("Peru"))).toEqual(all);
  });

  it.each([1, 2, 3, 4])("are no more than %d if the limit is lower", async (limit) => {
    expect(await read(some("Peru"), limit)).toEqual(all.slice(0, limit));
  });

  it("are those of the segment and its kind", async () => {
    expect(await read(few("Peru"))).toEqual([use(8, 1)]);
    expect(await read({ countryCode: "Peru", kind: "recency_segment", segment: "30-60" })).toEqual([
      use(900, 3),
      use(50, 2),
      use(1_000, 2),
      use(7, 1),
      use(8, 1),
    ]);
  });

  it.each([
    ["country", some("Atlantis")],
    ["segment of the country", few("Chile")],
    ["segment at all", { ...some("Peru"), segment: "'; --" }],
    ["country of that name with a blank", some("Peru ")],
    ["country without a name", some("")],
  ])("are none if there is no such %s", async (_what, place) => {
    expect(await read(place)).toEqual([]);
  });

  it("are of the country with the same case and accents", async () => {
    expect(await read(some("peru"))).toEqual([use(1, 1)]);
    expect(await read(some("Perú"))).toEqual([use(2, 1)]);
    expect(await read(some("PERU"))).toEqual([]);
    expect(await read(some("Peru\u0301"))).toEqual([]);
  });

  it("are those of the requested publication", async () => {
    const earlier = await publicationOf("2020-05-28T12:00:00");
    expect(await readAmountUse(database, earlier, some("Peru"), 10)).toEqual([use(20, 2)]);
    expect(await readAmountUse(database, earlier, some("Chile"), 10)).toEqual([]);
  });
});

describe("timelines", () => {
  const read = (until: string, publications: number, countries: readonly string[]) =>
    readTimelines(database, { until: parseExecutionDate(until), publications, countries });
  const isoOf = ({ dates }: Awaited<ReturnType<typeof read>>) => dates.map(({ iso }) => iso);

  it("have the execution dates, the earliest first, in any order of publishing", async () => {
    const timelines = await read("2020-05-29", 10, ["Peru"]);
    expect(isoOf(timelines)).toEqual([
      "2020-05-27T00:00:00Z",
      "2020-05-28T12:00:00Z",
      "2020-05-29T00:00:00Z",
    ]);
    expect(timelines.amounts(some("Peru"))).toEqual([10, 20, 900]);
  });

  it("count back from a date, which need not be published", async () => {
    expect(isoOf(await read("2020-05-29", 2, ["Peru"]))).toEqual([
      "2020-05-28T12:00:00Z",
      "2020-05-29T00:00:00Z",
    ]);
    expect(isoOf(await read("2020-05-28", 2, ["Peru"]))).toEqual(["2020-05-27T00:00:00Z"]);
    expect((await read("2020-05-29", 1, ["Peru"])).amounts(some("Peru"))).toEqual([900]);
  });

  it("have no amount at a date without an answer", async () => {
    const timelines = await read("2020-05-29", 10, ["Chile", "Peru", "Atlantis"]);
    expect(timelines.amounts(some("Chile"))).toEqual([70, undefined, 71]);
    expect(timelines.amounts(few("Peru"))).toEqual([undefined, undefined, 8]);
    expect(timelines.amounts(some("Atlantis"))).toEqual([undefined, undefined, undefined]);
  });

  it("of several countries are read at once, and of no others", async () => {
    const timelines = await read("2020-05-29", 10, ["Peru", "Chile"]);
    expect(timelines.amounts(some("Peru"))).toEqual([10, 20, 900]);
    expect(timelines.amounts(some("Chile"))).toEqual([70, undefined, 71]);
    expect(timelines.amounts(some("Perú"))).toEqual([undefined, undefined, undefined]);
  });

  it("tell countries apart by case and accents", async () => {
    const timelines = await read("2020-05-29", 10, ["Peru", "peru", "Perú"]);
    expect(timelines.amounts(some("peru"))).toEqual([undefined, undefined, 1]);
    expect(timelines.amounts(some("Perú"))).toEqual([undefined, 30, 2]);
  });

  it("are empty before the first date, and without amounts if there is no country", async () => {
    const before = await read("2020-05-26", 10, ["Peru"]);
    expect(before.dates).toEqual([]);
    expect(before.amounts(some("Peru"))).toEqual([]);
    expect((await read("2020-05-29", 10, [])).amounts(some("Peru"))).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });
});
