import { sql, type RawBuilder } from "kysely";
import { compareCodePoints } from "../voucher/code-points.js";
import type { PublishedRow, PublishedValue } from "./tables.js";

/** The values of a row's key, in the key's order, without the execution date. */
export type RowKey = readonly PublishedValue[];

/** The columns that tell the rows of one execution date apart. */
export function withinDate(key: readonly string[]): string[] {
  return key.filter((column) => column !== "execution_date");
}

export function keyOf(row: PublishedRow, key: readonly string[]): RowKey {
  return key.map((column) => row[column] ?? null);
}

/** Whether a row's key comes after another one. */
export function follows(key: readonly string[], after: RowKey): RawBuilder<boolean> {
  const columns = sql.join(key.map((column) => sql.ref(column)));
  const values = sql.join(after.map((value) => sql.val(value)));
  // MySQL finds no place in an index by the comparison of several columns at once: it would read all rows from the first one on.
  return sql<boolean>`(${sql.ref(key[0] ?? "")} >= ${after[0] ?? null} and (${columns}) > (${values}))`;
}

/** Orders rows by their keys as the databases and DuckDB do, whose texts are in the order of their code points. */
export function compareKeys(a: PublishedRow, b: PublishedRow, key: readonly string[]): number {
  for (const column of key) {
    const order = compareValues(a[column] ?? null, b[column] ?? null);
    if (order !== 0) return order;
  }
  return 0;
}

function compareValues(a: PublishedValue, b: PublishedValue): number {
  if (a === b) return 0;
  if (typeof a === "number" && typeof b === "number") return a - b;
  return compareCodePoints(String(a), String(b));
}
