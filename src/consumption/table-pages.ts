import type { Kysely, SelectQueryBuilder } from "kysely";
import { PipelineError } from "../base/errors.js";
import { isSamePublication, type Publication } from "../voucher/publication-identity.js";
import { translatingErrors, type Consumption } from "./consumption.js";
import { follows, keyOf, withinDate, type RowKey } from "./published-rows.js";
import { readPublication } from "./read-publications.js";
import type { PublishedRow, PublishedTables } from "./schema.js";

/** Some rows of a published table, in the order of its key. */
export interface TablePage {
  readonly rows: readonly PublishedRow[];
  /** The key of the last row; undefined if no more rows follow. */
  readonly next: RowKey | undefined;
}

/** A published table of one publication. */
export interface TableReader {
  readonly columns: readonly string[];
  readonly key: readonly string[];
  /**
   * Reads up to `limit` rows that follow a key.
   * @throws PublicationReplaced if the execution date has been published again since, or withdrawn.
   */
  page(after: RowKey | undefined, limit: number): Promise<TablePage>;
}

/** The publication was replaced during the read: its execution date was published again, or it was withdrawn. */
export class PublicationReplaced extends PipelineError {
  constructor({ executionDate }: Publication) {
    super(
      "CONSUMPTION_UNAVAILABLE",
      `${executionDate.iso} was published again or withdrawn while it was read. Read it again from the first page`,
    );
  }
}

/** Narrows which rows are read. */
export type RowFilter = (
  query: SelectQueryBuilder<PublishedTables, string, PublishedRow>,
) => SelectQueryBuilder<PublishedTables, string, PublishedRow>;

/**
 * Opens a published table to read it page by page: neither the database nor this process ever holds a whole table.
 * @returns undefined if the publication has no such table.
 */
export async function openTable(
  consumption: Consumption,
  publication: Publication,
  table: string,
  filter: RowFilter = (query) => query,
): Promise<TableReader | undefined> {
  const { db, dialect } = consumption;
  if (!Object.hasOwn(publication.rowCounts, table)) return undefined;
  const tables = await translatingErrors(dialect, () => db.introspection.getTables());
  const columns = tables.find(({ name }) => name === table)?.columns.map(({ name }) => name);
  if (columns === undefined) return undefined;
  const primaryKey = await translatingErrors(dialect, () => dialect.primaryKey(db, table));
  const key = withinDate(primaryKey);
  const published = db.withTables<PublishedTables>() as unknown as Kysely<PublishedTables>;

  const page = async (after: RowKey | undefined, limit: number): Promise<TablePage> => {
    let query = filter(published.selectFrom(table).selectAll()).where(
      "execution_date",
      "=",
      publication.executionDate.partitionKey,
    );
    if (after !== undefined) query = query.where(follows(key, after));
    for (const column of key) query = query.orderBy(column);
    const rows = await translatingErrors(dialect, () => query.limit(limit + 1).execute());
    // The check runs after the rows: if it is unchanged now, all rows are of this publication.
    const now = await readPublication(consumption, publication.executionDate.partitionKey);
    if (now === undefined || !isSamePublication(now, publication)) throw new PublicationReplaced(publication);
    const shown = rows.slice(0, limit);
    const last = rows.length > limit ? shown.at(-1) : undefined;
    return { rows: shown, next: last && keyOf(last, key) };
  };
  return { columns, key, page };
}
