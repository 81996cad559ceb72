import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { expect } from "@jest/globals";
import type { Row } from "../../../src/engine/builder.js";
import type { Settings } from "../../../src/settings/settings.js";
import { parseExecutionDate } from "../../../src/voucher/execution-date.js";
import { query, wholeText } from "../../duckdb.js";
import { EXECUTION_DATE, run } from "../../run/running.js";
import { makeFolder, makeWorkspace } from "../../workspace.js";
import { COLUMNS, type Column } from "../contract.js";

/** A file that a generator wrote in which each row is read. The columns beside the one that is tried are good. */
interface ReadFile {
  readonly file: string;
  readonly column: Column;
  readonly rows: readonly ExpectedRow[];
}

interface ExpectedRow {
  readonly id: number;
  readonly outcome: "curated" | "rejected" | "out of scope";
  readonly value?: string | null;
  readonly reasons?: readonly string[];
}

/** A file that a run names, with these words. */
interface RefusedFile {
  readonly file: string;
  readonly refused: readonly string[];
}

/** What was compared. */
export interface Compared {
  readonly files: number;
  readonly rows: number;
  readonly refused: number;
}

/** Files that a generator has written to a folder. */
export interface Corpus {
  readonly folder: string;
  readonly read: readonly ReadFile[];
  readonly refused: readonly RefusedFile[];
}

/**
 * Has a generator write its files.
 * @param python the commands of its environment.
 * @param writers for each of which the generator also writes a JSON of what is right.
 */
export async function writeCorpus(
  python = "",
  generator: string,
  writers: readonly string[],
): Promise<Corpus> {
  const folder = await makeFolder();
  const program = path.join(import.meta.dirname, generator);
  // -B: it leaves nothing compiled in the project.
  execFileSync(path.join(python, "python"), ["-B", program, folder], { stdio: "pipe" });
  const files: (ReadFile | RefusedFile)[] = [];
  for (const writer of writers) {
    const text = await readFile(path.join(folder, `${writer}.json`), "utf8");
    files.push(...(JSON.parse(text) as (ReadFile | RefusedFile)[]));
  }
  return {
    folder,
    read: files.filter((each) => "rows" in each),
    refused: files.filter((each) => "refused" in each),
  };
}

/** Runs the product over the files of a generator, and compares each row, and each refusal, with what is right. */
export async function expectCorpus(...generator: Parameters<typeof writeCorpus>): Promise<Compared> {
  const { folder, read, refused } = await writeCorpus(...generator);
  await expectRead(folder, read);
  await expectRefused(folder, refused);
  const rows = read.reduce((sum, each) => sum + each.rows.length, 0);
  return { files: read.length + refused.length, rows, refused: refused.length };
}

async function expectRead(folder: string, files: readonly ReadFile[]): Promise<void> {
  const settings = await settingsOver(folder, files);
  const report = await run(settings, EXECUTION_DATE, ["curate"]);
  const [counted = {}] = report.measures["measures.row_accounting"] ?? [];
  const rows = files.flatMap(({ file, column, rows: expected }) =>
    expected.map((row) => ({ file, column, row, key: keyOf(column === "voucher_amount", row.id) })),
  );
  expect(Number(counted["rows_read"])).toBe(rows.length);
  const [curated, rejected] = [await curatedRows(settings), await rejectedRows(settings)];
  expect(curated.size).toBe(Number(counted["curated"]));
  expect(rejected.size).toBe(Number(counted["rejected"]));
  const wrong = rows.flatMap(({ file, column, row, key }) => {
    const { outcome, value, reasons } = row;
    const is = curated.has(key)
      ? { outcome: "curated", value: curated.get(key)?.[column] }
      : rejected.has(key)
        ? { outcome: "rejected", reasons: rejected.get(key)?.reasons }
        : { outcome: "out of scope" };
    const right = outcome === "curated" ? { outcome, value } : { outcome, ...(reasons && { reasons }) };
    return JSON.stringify(is) === JSON.stringify(right) ? [] : [{ file, key, is, right }];
  });
  expect(wrong).toEqual([]);
}

async function expectRefused(folder: string, files: readonly RefusedFile[]): Promise<void> {
  if (files.length === 0) return;
  let waiting = files;
  // What the columns tell is said of all files at once, what only the values tell after that.
  while (waiting.length > 0) {
    const failure: unknown = await run(await settingsOver(folder, waiting)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "RAW_FILE_UNREADABLE" });
    const lines = (failure as Error).message.split("\n").slice(1);
    const saidOf = (file: string) => lines.find((line) => line.startsWith(`  vouchers/${file}: `));
    const named = waiting.filter(({ file }) => saidOf(file) !== undefined);
    expect(named).toHaveLength(lines.length);
    for (const { file, refused } of named) for (const word of refused) expect(saidOf(file)).toContain(word);
    waiting = waiting.filter((each) => !named.includes(each));
  }
}

async function settingsOver(folder: string, files: readonly { readonly file: string }[]): Promise<Settings> {
  const { settings } = await makeWorkspace({ maxRejectedShare: "1" });
  const raw = path.join(settings.zones.raw, "vouchers");
  await mkdir(raw, { recursive: true });
  for (const { file } of files) await copyFile(path.join(folder, file), path.join(raw, file));
  return settings;
}

/** Rows are known by their amount, or by their orders where the amount is tried. */
function keyOf(isByOrders: boolean, id: unknown): string {
  return `${isByOrders ? "orders" : "amount"} ${String(id)}`;
}

type Values = Partial<Record<Column | "reasons", unknown>>;

/** What is curated, each value as text; a moment is its microseconds since 1970. */
async function curatedRows(settings: Settings): Promise<Map<string, Values>> {
  const isMoment = (column: Column) => /^timestamp$|_ts$/.test(column);
  return byKey(
    await query(
      `SELECT ${COLUMNS.map((column) => textSql(isMoment(column) ? `epoch_us("${column}")` : column, column)).join(", ")}
       FROM ${partitionOf(settings, "vouchers")}`,
    ),
  );
}

async function rejectedRows(settings: Settings): Promise<Map<string, Values>> {
  return byKey(
    await query(
      `SELECT ${COLUMNS.map((column) => textSql(`"${column}"`, column)).join(", ")}, reject_reasons AS reasons
       FROM ${partitionOf(settings, "vouchers_rejected")}`,
    ),
  );
}

/** The client drops a byte order mark at the beginning of a text. */
function textSql(expression: string, name: string): string {
  return `'=' || CAST(${expression} AS VARCHAR) AS "${name}"`;
}

function byKey(rows: readonly Row[]): Map<string, Values> {
  const whole = rows.map((row): Values => ({
    ...row,
    ...Object.fromEntries(COLUMNS.map((column) => [column, wholeText(row[column])])),
  }));
  return new Map(whole.map((row) => [keyIn(row), row]));
}

function keyIn(row: Values): string {
  const isByOrders = row.country_code === "Chile";
  return keyOf(isByOrders, isByOrders ? row.total_orders : row.voucher_amount);
}

function partitionOf(settings: Settings, table: string): string {
  const { partitionKey } = parseExecutionDate(EXECUTION_DATE);
  const file = path.join(settings.zones.curated, table, `execution_date=${partitionKey}`, "data.parquet");
  return `read_parquet('${file}', hive_partitioning = false)`;
}
