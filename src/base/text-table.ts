import textWidth from "./text-width.js";
import { printable } from "./words.js";

/**
 * Rows as a table of text: a line of names, then one line for each row, with numbers to the right.
 * @param names the columns in their order; by default those of the first row.
 * @param numbers the columns on the right side; by default those with only numbers.
 */
export function textTable(
  rows: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[] = Object.keys(rows[0] ?? {}),
  numbers: ReadonlySet<string> = numbersIn(rows, names),
): string {
  const lines = [names.map(printable), ...rows.map((row) => names.map((name) => cell(row[name])))];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => textWidth(line[column] ?? ""))));
  return lines
    .map((line) =>
      line
        .map((text, column) => pad(text, widths[column] ?? 0, numbers.has(names[column] ?? "")))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

function numbersIn(
  rows: readonly Readonly<Record<string, unknown>>[],
  names: readonly string[],
): Set<string> {
  return new Set(
    names.filter((name) => rows.every((row) => typeof row[name] === "number" || row[name] === null)),
  );
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "NULL";
  return printable(typeof value === "string" ? value : JSON.stringify(value));
}

function pad(text: string, width: number, isNumber: boolean): string {
  const blanks = " ".repeat(width - textWidth(text));
  return isNumber ? blanks + text : text + blanks;
}
