import { PipelineError } from "../errors.js";
import { failpoint } from "../failpoints.js";
import { translatingErrors, type Consumption, type Dialect, type PublishedColumn } from "./consumption.js";
import type { ConsumptionDatabase } from "./tables.js";

/** A table that a model publishes. */
export interface PublishedTable {
  readonly name: string;
  readonly columns: readonly PublishedColumn[];
  /** The execution date and the key of the model. */
  readonly key: readonly string[];
}

/**
 * Makes the tables that are not there yet. It stands outside of the publish's transaction, which MySQL would end at the
 * first change of a table.
 * @throws PipelineError CONSUMPTION_TABLE_DIFFERS where a table is there with other columns.
 */
export function createPublishedTables(
  { db, dialect }: Consumption,
  tables: readonly PublishedTable[],
): Promise<void> {
  return translatingErrors(dialect, async () => {
    const present = new Map((await db.introspection.getTables()).map(({ name, columns }) => [name, columns]));
    for (const table of tables) {
      const found = present.get(table.name);
      if (found === undefined) {
        await createTable(db, dialect, table);
        failpoint(`${table.name}: table made`);
        continue;
      }
      const columns = table.columns.map(({ name }) => name);
      assertSame(
        table.name,
        "the columns",
        columns,
        found.map(({ name }) => name),
      );
      assertSame(table.name, "the key", table.key, await dialect.primaryKey(db, table.name));
    }
    failpoint("published tables ready");
  });
}

async function createTable(
  db: ConsumptionDatabase,
  dialect: Dialect,
  { name, columns, key }: PublishedTable,
) {
  let create = db.schema.createTable(name).ifNotExists();
  for (const column of columns) {
    create = create.addColumn(column.name, dialect.columnType(column), (definition) =>
      key.includes(column.name) ? definition.notNull() : definition,
    );
  }
  await create
    .addPrimaryKeyConstraint(`${name}_key`, [...key] as never)
    .modifyEnd(dialect.tableOptions)
    .execute();
}

function assertSame(
  table: string,
  what: string,
  expected: readonly string[],
  found: readonly string[],
): void {
  if (found.join() === expected.join()) return;
  const has = found.length === 0 ? "none" : found.join(", ");
  throw new PipelineError(
    "CONSUMPTION_TABLE_DIFFERS",
    `of the table ${table} ${what} should be ${expected.join(", ")}, and it has ${has}; ` +
      "rename or drop the table, and backfill the execution dates it shall hold",
  );
}
