import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import type { ExecutionDate } from "../voucher/execution-date.js";
import { translatingErrors, type Consumption, type PublishedTable } from "./consumption.js";
import { inTransaction, standInLine } from "./publish-line.js";
import { replaceRows, type TableContent } from "./publish-transaction.js";
import { creation, differencesOf } from "./published-tables.js";

/** MySQL has names of up to 64 characters. A model's name does not begin with `_`. */
const LONGEST_NAME = 64;

/** The name of the table that is built next to a published table. */
export function newNameOf(table: string): string {
  return `_new_${table}`.slice(0, LONGEST_NAME);
}

/** The name under which a rebuild keeps the table that it replaced. */
export function oldNameOf(table: string): string {
  return `_old_${table}`.slice(0, LONGEST_NAME);
}

/** The data that a publication shows, by the partition key of its date. */
export type DataHashes = ReadonlyMap<string, string>;

/** The state of a table before a rebuild. */
export interface RebuildState {
  /** Why the table needs a rebuild, in words; nothing if it is as its model says. */
  readonly differences: readonly string[];
  /** Whether the table that an earlier rebuild replaced is still kept. */
  readonly hasOld: boolean;
}

/** @throws PipelineError INVALID_USAGE if the database has no such table. */
export function readRebuildState(consumption: Consumption, table: PublishedTable): Promise<RebuildState> {
  const { db, dialect } = consumption;
  return translatingErrors(dialect, async () => {
    const present = await dialect.columnTypes(db, table.name);
    if (present.size === 0) {
      throw new PipelineError(
        "INVALID_USAGE",
        `the database has no table ${table.name}; the next run creates it`,
      );
    }
    const old = await dialect.columnTypes(db, oldNameOf(table.name));
    return { differences: await differencesOf(consumption, table, present), hasOld: old.size > 0 };
  });
}

/** Makes the new table, without rows. */
export async function prepareNewTable(consumption: Consumption, table: PublishedTable): Promise<void> {
  const { db, dialect } = consumption;
  const next = { ...table, name: newNameOf(table.name) };
  await translatingErrors(dialect, async () => {
    // A rebuild that was killed left it.
    await db.schema.dropTable(next.name).ifExists().execute();
    await creation(consumption, next).execute();
    failpoint("rebuild: new table made");
  });
}

/** Makes the new table hold exactly the given rows for one execution date. */
export function fillNewTable(
  { db, dialect }: Consumption,
  { partitionKey }: ExecutionDate,
  { table, ...content }: TableContent,
): Promise<void> {
  const next = { ...table, name: newNameOf(table.name) };
  return translatingErrors(dialect, () =>
    inTransaction(db, dialect.begin, async (transaction) => {
      await replaceRows(transaction, dialect, partitionKey, { ...content, table: next });
    }),
  );
}

/**
 * Replaces the published table with the new one, if nothing was published since it was filled. Readers see the one or the
 * other. The old table stays under another name.
 * @param filled the data that the new table holds.
 * @returns the dates that were published meanwhile; nothing if the new table is in place.
 */
export function putInPlace(
  { db, dialect }: Consumption,
  { name }: PublishedTable,
  filled: DataHashes,
): Promise<readonly string[]> {
  return translatingErrors(dialect, () =>
    inTransaction(db, dialect.begin, async (transaction) => {
      await standInLine(transaction);
      const shown = await transaction
        .selectFrom("publications")
        .select(["execution_date", "data_hash"])
        .execute();
      const changed = shown.filter(
        ({ execution_date, data_hash }) => filled.get(execution_date) !== data_hash,
      );
      if (changed.length > 0) return changed.map(({ execution_date }) => execution_date);
      // Lost connections have this repeated, also after the rename.
      const next = await dialect.columnTypes(transaction, newNameOf(name));
      if (next.size === 0) return [];
      failpoint("rebuild: before the swap");
      await dialect.renameTables({ db, transaction }, [
        [name, oldNameOf(name)],
        [newNameOf(name), name],
      ]);
      failpoint("rebuild: swapped");
      return [];
    }),
  );
}

/** Removes the table that a rebuild replaced. */
export async function dropOldTable({ db, dialect }: Consumption, table: string): Promise<void> {
  await translatingErrors(dialect, () => db.schema.dropTable(oldNameOf(table)).ifExists().execute());
}
