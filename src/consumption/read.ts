import { sql } from "kysely";
import type { SegmentKind } from "../voucher/segments.js";
import type { Consumption } from "./consumption.js";
import { unlessMissing } from "./present-tables.js";
import type { ConsumptionDatabase, PublishedTables } from "./tables.js";

/** Where the answers for each kind of segment are published. */
const MOST_USED_TABLES: Record<SegmentKind, string> = {
  frequent_segment: "voucher_frequent_most_used",
  recency_segment: "voucher_recency_most_used",
};

/** An answer, and the publication it belongs to. */
export interface MostUsedVoucher {
  readonly executionDate: string;
  /** In whole currency units; null where the publication has no row for the country and segment. */
  readonly voucherAmount: number | null;
}

/**
 * The most used voucher of a country and segment in the publication of the latest execution date. It is read in one
 * statement, so the answer belongs to one whole publication.
 * @returns undefined where nothing is published yet.
 */
export function readMostUsedVoucher(
  consumption: Consumption,
  kind: SegmentKind,
  countryCode: string,
  segment: string,
): Promise<MostUsedVoucher | undefined> {
  return unlessMissing(consumption, ["publications", MOST_USED_TABLES[kind]], () =>
    queryMostUsed(consumption.db, kind, countryCode, segment),
  );
}

async function queryMostUsed(
  db: ConsumptionDatabase,
  kind: SegmentKind,
  countryCode: string,
  segment: string,
): Promise<MostUsedVoucher | undefined> {
  const row = await db
    .withTables<PublishedTables>()
    .selectFrom((from) =>
      from
        .selectFrom("publications")
        .select(sql<string | null>`max(execution_date)`.as("latest"))
        .as("newest"),
    )
    .leftJoin(MOST_USED_TABLES[kind], (join) =>
      join.onRef("execution_date", "=", "latest").on("country_code", "=", countryCode).on(kind, "=", segment),
    )
    .select(["latest", "voucher_amount"])
    .executeTakeFirst();
  if (row?.latest == null) return undefined;
  return {
    executionDate: String(row.latest),
    voucherAmount: row.voucher_amount === null ? null : Number(row.voucher_amount),
  };
}
