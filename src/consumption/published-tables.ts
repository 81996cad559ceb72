import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { translatingErrors, type Consumption, type PublishedTable, type Query } from "./consumption.js";

/**
 * Creates the tables that do not exist yet. It runs outside the publish transaction, because MySQL would end that at
 * the first change of a table.
 * @throws PipelineError CONSUMPTION_TABLE_DIFFERS if a table has other columns.
 */
export async function createPublishedTables(
  consumption: Consumption,
  tables: readonly PublishedTable[],
): Promise<void> {
  const missing = await missingTables(consumption, tables);
  await translatingErrors(consumption.dialect, async () => {
    for (const table of missing) {
      await creation(consumption, table).execute();
      failpoint(`${table.name}: table made`);
    }
    failpoint("published tables ready");
  });
}

/**
 * The tables that do not exist yet.
 * @throws PipelineError CONSUMPTION_TABLE_DIFFERS if a table has other columns.
 */
export function missingTables(
  { db, dialect }: Consumption,
  tables: readonly PublishedTable[],
): Promise<PublishedTable[]> {
  return translatingErrors(dialect, async () => {
    const present = new Map((await db.introspection.getTables()).map(({ name, columns }) => [name, columns]));
    const missing: PublishedTable[] = [];
    for (const table of tables) {
      const found = present.get(table.name);
      if (found === undefined) {
        missing.push(table);
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
    return missing;
  });
}

/** The statement that makes a table. */
export function creation({ db, dialect }: Consumption, { name, columns, key }: PublishedTable): Query {
  let create = db.schema.createTable(name).ifNotExists();
  for (const column of columns) {
    create = create.addColumn(column.name, dialect.columnType(column), (definition) =>
      key.includes(column.name) ? definition.notNull() : definition,
    );
  }
  return create.addPrimaryKeyConstraint(`${name}_key`, [...key] as never).modifyEnd(dialect.tableOptions);
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
    `${what} of the table ${table} should be ${expected.join(", ")}, but found ${has}; ` +
      "rename or drop the table, and backfill its execution dates",
  );
}
