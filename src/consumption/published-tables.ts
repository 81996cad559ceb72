import { PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import {
  translatingErrors,
  type Consumption,
  type PublishedColumn,
  type PublishedTable,
  type Query,
} from "./consumption.js";

/** A change that a published table needs before its rows can be written. */
export interface TableChange {
  readonly table: PublishedTable;
  /** Whether the table does not exist yet. */
  readonly isNew: boolean;
  /** The columns that the table lacks. */
  readonly missing: readonly PublishedColumn[];
}

/**
 * Creates missing tables, and adds missing columns. It runs outside of the transaction of the publish, because MySQL ends a
 * transaction at the first change of a table.
 * @returns the changes that were made.
 * @throws PipelineError CONSUMPTION_TABLE_DIFFERS if a table differs in another way.
 */
export async function preparePublishedTables(
  consumption: Consumption,
  tables: readonly PublishedTable[],
): Promise<readonly TableChange[]> {
  const changes = await neededChanges(consumption, tables);
  try {
    await translatingErrors(consumption.dialect, async () => {
      for (const change of changes) {
        for (const statement of changeStatements(consumption, change)) await statement.execute();
        failpoint(`${change.table.name}: table made`);
      }
      failpoint("published tables ready");
    });
    return changes;
  } catch (error) {
    // The run of another date may have added the same column meanwhile.
    const left = await neededChanges(consumption, tables);
    if (columnsIn(left) >= columnsIn(changes)) throw error;
    return preparePublishedTables(consumption, tables);
  }
}

function columnsIn(changes: readonly TableChange[]): number {
  return changes.reduce((sum, { missing }) => sum + missing.length, 0);
}

/**
 * The changes that a publish makes to tables before it writes rows. It reads only.
 * @throws PipelineError CONSUMPTION_TABLE_DIFFERS if a table differs in a way that no publish changes: a type, the key, or a
 * column that the model does not have.
 */
export function neededChanges(
  consumption: Consumption,
  tables: readonly PublishedTable[],
): Promise<TableChange[]> {
  return translatingErrors(consumption.dialect, async () => {
    const changes: TableChange[] = [];
    for (const table of tables) {
      const present = await consumption.dialect.columnTypes(consumption.db, table.name);
      const differences = present.size === 0 ? [] : await differencesOf(consumption, table, present);
      if (differences.length > 0) throw tableDiffers(table, differences);
      const missing = table.columns.filter(({ name }) => !present.has(name));
      if (missing.length > 0) changes.push({ table, isNew: present.size === 0, missing });
    }
    return changes;
  });
}

/** The differences that only a rebuild can remove, in words. */
export async function differencesOf(
  { db, dialect }: Consumption,
  { name, columns, key }: PublishedTable,
  present: ReadonlyMap<string, string>,
): Promise<string[]> {
  const found = await dialect.primaryKey(db, name);
  return [
    ...[...present.keys()]
      .filter((column) => !columns.some((wanted) => wanted.name === column))
      .map((column) => `the model has no column ${column}`),
    ...columns.flatMap((column) => {
      const type = present.get(column.name);
      return type === undefined || holds(type, dialect.typeName(column))
        ? []
        : [`the type of ${column.name} is ${type} instead of ${dialect.typeName(column)}`];
    }),
    ...(found.join() === key.join()
      ? []
      : [`the key is ${found.length === 0 ? "none" : found.join(", ")} instead of ${key.join(", ")}`]),
  ];
}

const VARCHAR = /^varchar\((\d+)\)$/;

/** Whether a column of one type holds all values of another type. */
function holds(type: string, wanted: string): boolean {
  const [, longest] = VARCHAR.exec(type) ?? [];
  const [, needed] = VARCHAR.exec(wanted) ?? [];
  return (
    type === wanted || (longest !== undefined && needed !== undefined && Number(longest) >= Number(needed))
  );
}

function tableDiffers({ name }: PublishedTable, differences: readonly string[]): PipelineError {
  return new PipelineError(
    "CONSUMPTION_TABLE_DIFFERS",
    `the table ${name} differs from its model: ${differences.join("; ")}. ` +
      `Build it again with npx pipeline rebuild ${name}`,
  );
}

/** The statements that make a change. SQLite adds one column in a statement. */
export function changeStatements(
  consumption: Consumption,
  { table, isNew, missing }: TableChange,
): readonly Query[] {
  const { db, dialect } = consumption;
  if (isNew) return [creation(consumption, table)];
  return missing.map((column) =>
    db.schema.alterTable(table.name).addColumn(column.name, dialect.columnType(column)),
  );
}

/** The statement that creates a table, if it does not exist. */
export function creation({ db, dialect }: Consumption, { name, columns, key }: PublishedTable): Query {
  let create = db.schema.createTable(name).ifNotExists();
  for (const column of columns) {
    create = create.addColumn(column.name, dialect.columnType(column), (definition) =>
      key.includes(column.name) ? definition.notNull() : definition,
    );
  }
  return create.addPrimaryKeyConstraint(`${name}_key`, [...key] as never).modifyEnd(dialect.tableOptions);
}
