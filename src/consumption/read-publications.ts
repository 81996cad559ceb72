import type { SelectQueryBuilder } from "kysely";
import { printable } from "../base/words.js";
import { executionDateOfKey } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";
import { damaged, storedJson, unlessMissing, type Consumption } from "./consumption.js";
import type { ConsumptionDatabase, ConsumptionTables, PublicationsTable } from "./schema.js";

/** The form in which runs write a moment. */
const MOMENT = /^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z$/;

/** The publications to read. */
export interface PublicationFilter {
  /** Only this execution date, by its partition key. */
  readonly executionDate?: string | undefined;
  /** Only execution dates before this one, by its partition key. */
  readonly before?: string | undefined;
  /** Only execution dates up to this one, by its partition key. */
  readonly upTo?: string | undefined;
  /** The maximum number; no limit by default. */
  readonly limit?: number | undefined;
}

/** Publications, the one of the latest execution date first; none if there was no publish yet. */
export async function readPublications(
  consumption: Consumption,
  { executionDate, before, upTo, limit }: PublicationFilter = {},
): Promise<Publication[]> {
  let query = consumption.db.selectFrom("publications").selectAll();
  if (executionDate !== undefined) query = query.where("execution_date", "=", executionDate);
  if (before !== undefined) query = query.where("execution_date", "<", before);
  if (upTo !== undefined) query = query.where("execution_date", "<=", upTo);
  query = query.orderBy("execution_date", "desc");
  const latest = limit === undefined ? query : query.limit(limit);
  const rows = await unlessMissing(consumption, ["publications"], () => latest.execute());
  return (rows ?? []).map(publicationOf);
}

/**
 * Whether the database has the table of publications. An empty database does not, nor does one that was lost and
 * created again.
 */
export async function hasPublications(consumption: Consumption): Promise<boolean> {
  const first = consumption.db.selectFrom("publications").select("execution_date").limit(1);
  return (await unlessMissing(consumption, ["publications"], () => first.execute())) !== undefined;
}

/** The publication that readers see: that of the latest execution date; undefined if nothing is published yet. */
export async function readNewestPublication(consumption: Consumption): Promise<Publication | undefined> {
  const [newest] = await readPublications(consumption, { limit: 1 });
  return newest;
}

/** The partition key of the publication that readers see, as this transaction reads it now. */
export async function newestIn(transaction: ConsumptionDatabase): Promise<string | undefined> {
  return (await newestOf(transaction).executeTakeFirst())?.execution_date;
}

/** The query for that partition key. */
export function newestOf(
  db: ConsumptionDatabase,
): SelectQueryBuilder<ConsumptionTables, "publications", Pick<PublicationsTable, "execution_date">> {
  return db.selectFrom("publications").select("execution_date").orderBy("execution_date", "desc").limit(1);
}

/** The publication of an execution date, by its partition key; undefined if it is not published. */
export async function readPublication(
  consumption: Consumption,
  executionDate: string,
): Promise<Publication | undefined> {
  const [publication] = await readPublications(consumption, { executionDate, limit: 1 });
  return publication;
}

function publicationOf(row: PublicationsTable): Publication {
  // SQLite stores values of any type in a column.
  const key: unknown = row.execution_date;
  const executionDate = typeof key === "string" ? executionDateOfKey(key) : undefined;
  if (executionDate === undefined)
    throw damaged(`a publication of ${printable(String(key))}, which is not an execution date`);
  const moment: unknown = row.published_at;
  if (typeof moment !== "string" || !MOMENT.test(moment) || Number.isNaN(Date.parse(moment)))
    throw damaged(
      `a publication of ${executionDate.iso} at ${printable(String(moment))}, which is not a moment`,
    );
  return {
    executionDate,
    runId: row.run_id,
    sqlVersion: row.sql_version,
    sqlHash: row.sql_hash,
    dataHash: row.data_hash,
    publishedAt: row.published_at,
    rowCounts: storedJson(row.row_counts, `a publication of ${executionDate.iso} with row counts`) as Record<
      string,
      number
    >,
  };
}
