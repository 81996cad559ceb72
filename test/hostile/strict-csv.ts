import { gunzipSync } from "node:zlib";
import { COLUMNS, type RawRow } from "./contract.js";

/**
 * The vouchers of a CSV as RFC 4180 reads it, in UTF-8; empty lines do not count.
 * @returns undefined where the bytes are no such file, or lack a column.
 */
export function vouchersOfCsv(bytes: Buffer, isCompressed: boolean): RawRow[] | undefined {
  const text = textOf(bytes, isCompressed);
  const lines = text === undefined ? undefined : linesOf(text);
  if (lines === undefined) return undefined;
  const [header = [], ...rest] = lines;
  const isComplete = COLUMNS.every((column) => header.filter((name) => name === column).length === 1);
  if (!isComplete || !rest.every((line) => isWhole(line, header.length))) return undefined;
  return rest.map(
    (line) =>
      Object.fromEntries(
        COLUMNS.map((column) => [column, { type: "text", text: line[header.indexOf(column)] ?? null }]),
      ) as RawRow,
  );
}

/** A comma after the last value is let pass: DuckDB does, and nothing is lost. */
function isWhole(line: readonly string[], length: number): boolean {
  return line.length === length || (line.length === length + 1 && line.at(-1) === "");
}

function textOf(bytes: Buffer, isCompressed: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(isCompressed ? gunzipSync(bytes) : bytes);
  } catch {
    return undefined;
  }
}

const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;

function linesOf(text: string): string[][] | undefined {
  const lines: string[][] = [];
  let line: string[] = [];
  for (let at = 0; at < text.length || line.length > 0;) {
    FIELD.lastIndex = at;
    const [whole, field = "", end = ""] = FIELD.exec(text) ?? [];
    if (whole === undefined) return undefined;
    at += whole.length;
    line.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end === ",") continue;
    if (line.length > 1 || field !== "") lines.push(line);
    line = [];
  }
  return lines;
}
