import { messageOf, PipelineError } from "../base/errors.js";
import {
  translatingErrors,
  type Consumption,
  type PublishedTable,
  type TableFault,
} from "../consumption/consumption.js";
import { readOpenWithdrawals } from "../consumption/publication-withdrawals.js";
import { countRowsByDate, readRecordsOfRows, RowsHash } from "../consumption/published-rows.js";
import { neededChanges } from "../consumption/published-tables.js";
import { readPublications } from "../consumption/read-publications.js";
import { INTERNAL_TABLES, type PublishedRowsTable } from "../consumption/schema.js";
import { readSqlVersion } from "../consumption/sql-versions.js";
import { openTable, PublicationReplaced } from "../consumption/table-pages.js";
import { parseSqlVersion } from "../models/load.js";
import { isPublished } from "../models/model.js";
import { publishedTable } from "../run/publish.js";
import { isoOfKey } from "../voucher/execution-date.js";
import type { Publication } from "../voucher/publication-identity.js";

const ROWS_PER_PAGE = 5_000;
/** A publication that other runs replace during every read is left for the next check. */
const ATTEMPTS = 3;

/** The rows of the published tables, compared with the recorded ones. */
export interface DeepStatus {
  /** The number of compared publications, including those that differ. */
  readonly compared: number;
  readonly differences: readonly RowsDifference[];
  readonly not_compared: readonly NotCompared[];
  /** Rows of execution dates that are neither published nor withdrawn. */
  readonly unpublished: readonly UnpublishedRows[];
  /** Tables that are missing, or differ from those that a run creates. */
  readonly tables: readonly TableFault[];
  /** Damage inside the database. */
  readonly damage: readonly string[];
}

/** A published table whose rows for an execution date differ from the recorded ones. */
export interface RowsDifference {
  readonly execution_date: string;
  readonly table: string;
  readonly rows_published: number;
  /** Null if the table is not readable in the order of its key. */
  readonly rows_found: number | null;
}

/** Rows that no run has published. */
export interface UnpublishedRows {
  readonly execution_date: string;
  readonly table: string;
  readonly rows_found: number;
}

export interface NotCompared {
  readonly execution_date: string;
  readonly why: string;
}

/**
 * Reads every row of publications, and compares them with the recorded ones; changes nothing.
 * @param published the tables that the models publish.
 * @param isAskedFor whether the request includes an execution date, in ISO form.
 */
export async function readDeepStatus(
  consumption: Consumption,
  publications: readonly Publication[],
  published: readonly PublishedTable[],
  isAskedFor: (iso: string) => boolean,
): Promise<DeepStatus> {
  const { db, dialect } = consumption;
  const tables = await tablesThatDiffer(consumption, published);
  const damage = await translatingErrors(dialect, () => dialect.integrityFaults(db));
  const differences: RowsDifference[] = [];
  const notCompared: NotCompared[] = [];
  // If pages are broken, a read can return rows that nobody has written.
  for (const publication of damage.length > 0 ? [] : publications) {
    const found = await compare(consumption, publication);
    if (typeof found === "string")
      notCompared.push({ execution_date: publication.executionDate.iso, why: found });
    else differences.push(...found);
  }
  const compared = damage.length > 0 ? 0 : publications.length - notCompared.length;
  const unpublished = damage.length > 0 ? [] : await unpublishedRows(consumption, published, isAskedFor);
  return { compared, differences, not_compared: notCompared, unpublished, tables, damage };
}

/** Whether everything equals the published state. */
export function isIntact({ differences, unpublished, tables, damage }: DeepStatus): boolean {
  return [differences, unpublished, tables, damage].every(({ length }) => length === 0);
}

async function tablesThatDiffer(
  consumption: Consumption,
  published: readonly PublishedTable[],
): Promise<TableFault[]> {
  const { db, dialect } = consumption;
  const faults: TableFault[] = [];
  for (const table of published) {
    try {
      // A column that it lacks comes with the next run.
      const missing = (await neededChanges(consumption, [table])).filter(({ isNew }) => isNew);
      faults.push(...missing.map(() => ({ table: table.name, what: "is missing" })));
    } catch (error) {
      if (!(error instanceof PipelineError) || error.code !== "CONSUMPTION_TABLE_DIFFERS") throw error;
      faults.push({ table: table.name, what: messageOf(error) });
    }
  }
  const names = [...INTERNAL_TABLES, ...published.map(({ name }) => name)];
  return [...faults, ...(await translatingErrors(dialect, () => dialect.tableFaults(db, names)))];
}

async function unpublishedRows(
  consumption: Consumption,
  published: readonly PublishedTable[],
  isAskedFor: (iso: string) => boolean,
): Promise<UnpublishedRows[]> {
  const found: (UnpublishedRows & { readonly key: string })[] = [];
  for (const { name } of published) {
    for (const [key, rows] of await countRowsByDate(consumption, name))
      found.push({ execution_date: isoOfKey(key), table: name, rows_found: rows, key });
  }
  // The publications are read last: a run may have published one of the dates meanwhile.
  const publications = await readPublications(consumption);
  const withdrawals = await readOpenWithdrawals(consumption);
  const known = new Set([
    ...publications.map(({ executionDate }) => executionDate.partitionKey),
    ...withdrawals.map(({ execution_date }) => execution_date),
  ]);
  return found
    .filter(({ key, execution_date }) => !known.has(key) && isAskedFor(execution_date))
    .map(({ execution_date, table, rows_found }) => ({ execution_date, table, rows_found }));
}

/** @returns the tables that differ, or the reason why no table was compared. */
async function compare(
  consumption: Consumption,
  publication: Publication,
): Promise<readonly RowsDifference[] | string> {
  const records = await readRecordsOfRows(consumption, publication);
  if (records.length === 0)
    return `an older version of the pipeline published it; run npx pipeline publish -e ${publication.executionDate.iso} to record its rows`;
  const columnsOf = await columnsBySql(consumption, publication);
  for (let attempt = 1; ; attempt += 1) {
    try {
      const differences: RowsDifference[] = [];
      for (const record of records) {
        const columns = columnsOf.get(record.table_name);
        differences.push(...(await differenceOf(consumption, publication, record, columns)));
      }
      return differences;
    } catch (error) {
      if (!(error instanceof PublicationReplaced)) throw error;
      if (attempt === ATTEMPTS) return "it was published again or withdrawn while it was read";
    }
  }
}

/** The columns of each table by the SQL of a publication: the tables may have more since. Nothing if that SQL cannot be read. */
async function columnsBySql(
  consumption: Consumption,
  { sqlVersion, sqlHash }: Publication,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const texts = await readSqlVersion(consumption, sqlHash);
  if (texts === undefined) return new Map();
  try {
    const { models } = parseSqlVersion(sqlVersion, texts);
    const tables = models.filter(isPublished).map(publishedTable);
    return new Map(tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]));
  } catch (error) {
    // An older version of the pipeline wrote it.
    if (error instanceof PipelineError && error.code === "INVALID_MODEL") return new Map();
    throw error;
  }
}

async function differenceOf(
  consumption: Consumption,
  publication: Publication,
  { table_name, row_count, rows_hash }: PublishedRowsTable,
  columns: readonly string[] | undefined,
): Promise<RowsDifference[]> {
  const difference = (rowsFound: number | null): RowsDifference => ({
    execution_date: publication.executionDate.iso,
    table: table_name,
    rows_published: row_count,
    rows_found: rowsFound,
  });
  const table = await openTable(consumption, publication, table_name);
  if (table === undefined) return [difference(0)];
  const hash = new RowsHash(columns ?? table.columns);
  // A table without its key is not readable in pages. The fault of the table reports the missing key.
  if (table.key.length === 0) return [difference(null)];
  for (let page = await table.page(undefined, ROWS_PER_PAGE); ;) {
    hash.add(page.rows);
    if (page.next === undefined) break;
    page = await table.page(page.next, ROWS_PER_PAGE);
  }
  return hash.digest() === rows_hash ? [] : [difference(hash.count)];
}
