import * as z from "zod";

/** For whom cells are escaped, as a query has it. */
export const escapeName = z.enum(["spreadsheet"], "must be spreadsheet").meta({
  description: "spreadsheet: in CSV, a cell that a spreadsheet would run as a formula begins with '",
});

/** How CSV is written. */
export interface CsvOptions {
  readonly delimiter?: string;
  readonly escape?: z.output<typeof escapeName> | undefined;
}

type Cell = string | number | null | undefined;

/** Rows as CSV. */
export function csvText(
  rows: readonly (readonly Cell[])[],
  { delimiter = ",", escape }: CsvOptions = {},
): string {
  const cell = (value: Cell) => {
    const text = value === null || value === undefined ? "" : String(value);
    return quoted(escape === undefined ? text : withoutFormula(text), delimiter);
  };
  return rows.map((row) => `${row.map(cell).join(delimiter)}\n`).join("");
}

/** A bare carriage return ends a line for some readers. */
function quoted(text: string, delimiter: string): string {
  return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Spreadsheets take the wide forms of the signs, too. */
const FORMULA = /^[=+\-@\t\r\n＝＋－＠]/;
const NUMBER = /^-?\d+([.,]\d+)?$/;

function withoutFormula(text: string): string {
  return FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
}
