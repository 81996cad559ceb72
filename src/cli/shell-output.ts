import type { Writable } from "node:stream";
import { textTable } from "../base/text-table.js";
import type { StatementResult } from "../introspect/shell.js";

/** The output format of a statement's rows. */
export type ResultFormat = "table" | "json" | "csv";

/** Writes a text, and returns whether somebody still reads. */
export type Write = (text: string) => Promise<boolean>;

/** The widths of a table depend on all its rows, so this many stay in memory. */
const TABLE_ROWS = 10_000;

/** Writes to a stream no faster than it is read. */
export function writerTo(stream: Writable): Write {
  let isRead = true;
  const stop = () => {
    isRead = false;
  };
  stream.once("error", stop).once("close", stop);
  return async (text) => {
    if (isRead && !stream.write(text)) await readOn(stream);
    return isRead;
  };
}

/**
 * Prints the result of a statement: a table for people, or a complete JSON array of objects or CSV by RFC 4180.
 * @param note receives a message if a table is not complete.
 */
export async function printResult(
  result: StatementResult,
  format: ResultFormat,
  write: Write,
  note: (message: string) => void,
): Promise<void> {
  if (format === "json") await printJson(result, write);
  else if (format === "csv") await printCsv(result, write);
  else await printTable(result, write, note);
}

async function printTable(
  { columns, batches }: StatementResult,
  write: Write,
  note: (message: string) => void,
): Promise<void> {
  const rows: (readonly unknown[])[] = [];
  for await (const batch of batches()) {
    rows.push(...batch);
    if (rows.length > TABLE_ROWS) break;
  }
  // A plan has its own lines and boxes.
  if (columns.join() === "explain_key,explain_value") {
    for (const [, drawing] of rows) await write(`${String(drawing)}\n`);
    return;
  }
  const shown = rows.slice(0, TABLE_ROWS);
  const records = shown.map((row) => Object.fromEntries(columns.map((name, index) => [name, row[index]])));
  await write(`${textTable(records, columns)}\n`);
  if (rows.length > shown.length) {
    note(`only the first ${TABLE_ROWS} rows are shown; --csv and --json give all of them`);
  }
}

async function printJson({ columns, batches }: StatementResult, write: Write): Promise<void> {
  const names = columns.map((name) => JSON.stringify(name));
  // A JavaScript object would put numeric names first.
  const objectOf = (row: readonly unknown[]) =>
    `{${names.map((name, index) => `${name}:${JSON.stringify(row[index])}`).join(",")}}`;
  let before = "[";
  for await (const batch of batches()) {
    if (!(await write(before + batch.map(objectOf).join(",\n")))) return;
    before = ",\n";
  }
  await write(before === "[" ? "[]\n" : "]\n");
}

async function printCsv({ columns, batches }: StatementResult, write: Write): Promise<void> {
  if (!(await write(csvLine(columns)))) return;
  for await (const batch of batches()) {
    if (!(await write(batch.map(csvLine).join("")))) return;
  }
}

function csvLine(values: readonly unknown[]): string {
  return `${values.map(csvField).join(",")}\r\n`;
}

/** NULL is an empty field; an empty text is one in quotes. Lists and structs are JSON. */
function csvField(value: unknown): string {
  if (value === null) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text === "" || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function readOn(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const events = ["drain", "error", "close"];
    const done = () => {
      for (const event of events) stream.off(event, done);
      resolve();
    };
    for (const event of events) stream.on(event, done);
  });
}
