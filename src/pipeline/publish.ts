import { createHash } from "node:crypto";
import type { PublishedColumn } from "../consumption/consumption.js";
import type { TableContent } from "../consumption/publish.js";
import type { PublishedTable } from "../consumption/published-tables.js";
import type { PublishedValue } from "../consumption/tables.js";
import type { Engine, RowValue } from "../engine/engine.js";
import { publishedColumns, publishedKey, type WrittenModel } from "../models/model.js";
import { identifiers } from "../sql-literal.js";
import { DEFAULT_MAX_LENGTH } from "./plan.js";
import type { OutputTable } from "./report.js";

/** The table that a model publishes. */
export function publishedTable(model: WrittenModel): PublishedTable {
  const columns = publishedColumns(model).map(([name, column]): PublishedColumn => {
    if (column.type === "VARCHAR[]") throw new TypeError(`${model.file}: a list cannot be published`);
    return { name, type: column.type, maxLength: column.max_length ?? DEFAULT_MAX_LENGTH };
  });
  return { name: model.table, columns, key: publishedKey(model) };
}

/** The rows of a model for its published table. */
export async function publishedContent(engine: Engine, model: WrittenModel): Promise<TableContent> {
  const table = publishedTable(model);
  const rows = await engine.rows(`SELECT ${identifiers(table.columns.map(({ name }) => name))} FROM ${model.name}`);
  return {
    table,
    rows: rows.map((row) =>
      Object.fromEntries(table.columns.map(({ name, type }) => [name, publishedValue(type, row[name] ?? null)])),
    ),
  };
}

/** One hash for all that is published together. */
export function dataHash(tables: readonly Pick<OutputTable, "model" | "sha256">[]): string {
  const hash = createHash("sha256");
  const sorted = [...tables].sort((a, b) => (a.model < b.model ? -1 : 1));
  for (const { model, sha256 } of sorted) hash.update(`${model} ${sha256}\n`);
  return hash.digest("hex");
}

function publishedValue(type: PublishedColumn["type"], value: RowValue): PublishedValue {
  if (value === null || typeof value === "number") return value;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value !== "string") throw new TypeError("a list cannot be published");
  return type === "BIGINT" ? exactNumber(value) : value;
}

/** The engine gives a BIGINT as text, because not every one of them is exact as a number. */
function exactNumber(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new RangeError(`${text} is too large to be published exactly`);
  return number;
}
