import type { ExecutionDate } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import type { Place } from "../voucher/published-answers.js";
import { translatingErrors, type Consumption } from "./consumption.js";
import { USAGE_TABLE } from "./read-answers.js";
import { readPublications } from "./read-publications.js";
import type { PublishedTables } from "./schema.js";
import { openTable } from "./table-pages.js";

/** How often an amount was used in a country and segment. */
export interface AmountUse {
  /** In whole currency units. */
  readonly voucherAmount: number;
  readonly assignments: number;
}

/**
 * Reads how often the amounts of a country and segment were used, the most used one first.
 * @param limit how many of them.
 * @returns none if the publication knows no voucher of the place.
 * @throws PublicationReplaced if its execution date is published again meanwhile.
 */
export async function readAmountUse(
  consumption: Consumption,
  publication: Publication,
  { countryCode, kind, segment }: Place,
  limit: number,
): Promise<AmountUse[]> {
  const ofPlace = await openTable(consumption, publication, USAGE_TABLE, (query) =>
    query
      .where("country_code", "=", countryCode)
      .where("segment_kind", "=", kind)
      .where("segment", "=", segment)
      .where("amount_rank", "<=", limit),
  );
  const { rows } = (await ofPlace?.page(undefined, limit)) ?? { rows: [] };
  return rows
    .toSorted((a, b) => Number(a["amount_rank"]) - Number(b["amount_rank"]))
    .map((row) => ({
      voucherAmount: Number(row["voucher_amount"]),
      assignments: Number(row["assignments"]),
    }));
}

/** The most used amounts of some countries over several publications. */
export interface Timelines {
  /** The execution dates, the earliest first. */
  readonly dates: readonly ExecutionDate[];
  /** The amount of a place at each of these dates; undefined if it had none. */
  amounts(place: Place): (number | undefined)[];
}

/** The timelines to read. */
export interface TimelineFilter {
  /** The latest execution date, by its partition key. */
  readonly until: ExecutionDate;
  /** How many publications, counted back from there. */
  readonly publications: number;
  readonly countries: readonly string[];
}

/** Reads the most used amounts of some countries in each publication. */
export async function readTimelines(
  consumption: Consumption,
  { until, publications, countries }: TimelineFilter,
): Promise<Timelines> {
  const { db, dialect } = consumption;
  const latest = await readPublications(consumption, { upTo: until.partitionKey, limit: publications });
  const dates = latest.map(({ executionDate }) => executionDate).reverse();
  const keys = dates.map(({ partitionKey }) => partitionKey);
  const rows =
    keys.length === 0 || countries.length === 0
      ? []
      : await translatingErrors(dialect, () =>
          db
            .withTables<PublishedTables>()
            .selectFrom(USAGE_TABLE)
            .select(["execution_date", "country_code", "segment_kind", "segment", "voucher_amount"])
            .where("execution_date", "in", keys)
            .where("country_code", "in", countries)
            .where("amount_rank", "=", 1)
            .execute(),
        );
  const amounts = new Map(
    rows.map((row) => [
      keyOf(row.execution_date, row.segment_kind, row.country_code, row.segment),
      Number(row.voucher_amount),
    ]),
  );
  return {
    dates,
    amounts: ({ countryCode, kind, segment }) =>
      keys.map((key) => amounts.get(keyOf(key, kind, countryCode, segment))),
  };
}

function keyOf(...parts: readonly unknown[]): string {
  return JSON.stringify(parts);
}
