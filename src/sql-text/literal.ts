import { isOnS3 } from "../base/s3-access.js";

/** A value as SQL writes it as a literal. Every `{{ … }}` of a template passes through here. */
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

/** A path as DuckDB reads it back as just that path: to its readers every path of a disk is a pattern. */
export function pathPattern(path: string): string {
  if (isOnS3(path)) return path;
  return path.replaceAll(/[*?[]/g, "[$&]");
}

/** Whether a path can be said as a pattern. In one with a wildcard, DuckDB takes a backslash for the end of a folder. */
export function hasPathPattern(path: string): boolean {
  return isOnS3(path) || !(path.includes("\\") && /[*?[]/.test(path));
}

/** A name as SQL quotes it: plain where it can stand as it is, so that the rendered text reads like written SQL. */
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

/** What is known to be a list. */
export function listOf(values: unknown): unknown[] {
  if (!Array.isArray(values)) throw new TypeError(`${describe(values)} is not a list`);
  return values;
}

function describe(value: unknown): string {
  return value === undefined ? "nothing" : JSON.stringify(value);
}
