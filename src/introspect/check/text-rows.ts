import type { ColumnType } from "../../engine/builder.js";
import type { TestRow, TestValue } from "../../models/test-file.js";
import { identifier, literal } from "../../sql-text/literal.js";

/** A SELECT that gives rows of texts in their order, each value cast to the type of its column. */
export function textRows(columns: readonly ColumnType[], rows: readonly TestRow[]): string {
  const names = columns.map(({ name }) => identifier(name)).join(", ");
  // VALUES cannot be empty.
  const values = (rows.length === 0 ? [{}] : rows).map(
    (row: TestRow) =>
      `(${columns.map((column) => `CAST(${cell(row[column.name] ?? null)} AS ${column.type})`).join(", ")})`,
  );
  return `SELECT * FROM (VALUES ${values.join(", ")}) AS rows(${names})${rows.length === 0 ? " WHERE false" : ""}`;
}

/** A value of a test as SQL. */
export function cell(value: TestValue): string {
  if (value === null) return "NULL";
  return typeof value === "string" ? text(value) : `[${value.map(cell).join(", ")}]`;
}

/** No statement can hold a NUL. */
function text(value: string): string {
  return `(${literal(value).replaceAll("\0", "' || chr(0) || '")})`;
}
