import { isOnS3 } from "../base/s3-access.js";

/** A value as a SQL literal. Every `{{ … }}` of a template passes through here. */
export function literal(value: unknown): string {
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (typeof value === "number" && Number.isFinite(value)) return String(value);
  if (typeof value === "boolean") return value ? "TRUE" : "FALSE";
  throw new TypeError(`a template can write texts, numbers and booleans, not ${describe(value)}`);
}

/** Texts as a list literal: `['a', 'b']`. */
export function listLiteral(values: unknown): string {
  return `[${listOf(values).map(literal).join(", ")}]`;
}

/** A pattern that matches exactly one path: DuckDB's readers treat every path of a disk as a pattern. */
export function pathPattern(path: string): string {
  if (isOnS3(path)) return path;
  return path.replaceAll(/[*?[]/g, "[$&]");
}

/** Whether a path has such a pattern. If it contains a wildcard, DuckDB treats a backslash as the end of a folder. */
export function hasPathPattern(path: string): boolean {
  return isOnS3(path) || !(path.includes("\\") && /[*?[]/.test(path));
}

/** A name as a SQL identifier: without quotes if possible, so that the rendered text looks like written SQL. */
export function identifier(value: unknown): string {
  if (typeof value !== "string" || value === "")
    throw new TypeError(`${describe(value)} is not the name of a column or table`);
  return PLAIN.test(value) ? value : `"${value.replaceAll('"', '""')}"`;
}

/** Names separated by commas. */
export function identifiers(values: unknown): string {
  return listOf(values).map(identifier).join(", ");
}

/** Names with an underscore are not keywords of SQL. */
const PLAIN = /^[a-z]+(_[a-z0-9]+)+$/;

/** Checks that a value is a list. */
export function listOf(values: unknown): unknown[] {
  if (!Array.isArray(values)) throw new TypeError(`${describe(values)} is not a list`);
  return values;
}

function describe(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
