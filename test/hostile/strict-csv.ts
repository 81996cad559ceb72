import { gunzipSync } from "node:zlib";
import { COLUMNS, type RawRow } from "./contract.js";

/**
 * The vouchers of a CSV as RFC 4180 reads it, in UTF-8; empty lines do not count.
 * @returns undefined where the bytes are no such file, or lack a column.
 */
export function vouchersOfCsv(bytes: Buffer, isCompressed: boolean): RawRow[] | undefined {
  const text = textOf(bytes, isCompressed);
  const records = text === undefined ? undefined : recordsOf(text);
  if (records === undefined) return undefined;
  const [header = [], ...rest] = records;
  const isComplete = COLUMNS.every((column) => header.filter((name) => name === column).length === 1);
  if (!isComplete || rest.some((line) => line.length !== header.length)) return undefined;
  return rest.map(
    (line) =>
      Object.fromEntries(
        COLUMNS.map((column) => [column, { type: "text", text: line[header.indexOf(column)] ?? null }]),
      ) as RawRow,
  );
}

function textOf(bytes: Buffer, isCompressed: boolean): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(isCompressed ? gunzipSync(bytes) : bytes);
  } catch {
    return undefined;
  }
}

const FIELD = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r|$)/y;

/**
 * The records of a CSV, each with its values. Empty lines do not count, except the first one.
 * @returns undefined for a text with wrong quotes, or with lines that end differently.
 */
export function recordsOf(text: string): string[][] | undefined {
  const records: string[][] = [];
  const lineEnds = new Set<string>();
  let record: string[] = [];
  for (let at = 0; at < text.length || record.length > 0;) {
    FIELD.lastIndex = at;
    const [whole, field = "", end = ""] = FIELD.exec(text) ?? [];
    if (whole === undefined) return undefined;
    at += whole.length;
    record.push(field.startsWith('"') ? field.slice(1, -1).replaceAll('""', '"') : field);
    if (end === ",") continue;
    if (record.length > 1 || field !== "" || records.length === 0) records.push(record);
    record = [];
    // A carriage return at the very end may be half of what the others are.
    if (end !== "" && !(end === "\r" && at === text.length && lineEnds.has("\r\n"))) lineEnds.add(end);
  }
  return lineEnds.size > 1 ? undefined : records;
}
