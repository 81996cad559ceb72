import { expect } from "@jest/globals";
import { textOf } from "../../src/engine/builder.js";
import type { RunReport } from "../../src/record/run-record.js";
import type { Settings } from "../../src/settings/settings.js";
import { parseExecutionDate } from "../../src/voucher/execution-date.js";
import { readTable } from "../consumption/reading.js";
import { query, wholeSql, wholeText } from "../duckdb.js";
import {
  COLUMNS,
  executionMoment,
  outcomesOf,
  type CuratedRow,
  type Outcome,
  type RawRow,
} from "./contract.js";
import { match } from "./matching.js";
import { recountMostUsed, SEGMENT_KINDS } from "./recount.js";

/** A raw row, and the file that it came in. */
export interface SourceRow {
  readonly row: RawRow;
  /** Relative to the raw zone. */
  readonly file: string;
}

/** What a run has left, read without the code that is tested. */
interface Results {
  readonly curated: readonly CuratedRow[];
  readonly rejected: readonly Rejected[];
}

interface Rejected {
  readonly reasons: readonly string[];
  /** The six texts. */
  readonly texts: readonly (string | null)[];
  readonly file: string;
}

/** The four numbers of a run. */
export interface Accounting {
  readonly rows_read: number;
  readonly rejected: number;
  readonly out_of_scope: number;
  readonly curated: number;
}

/** Expects every raw row to have come to what the contract says of it, and every answer to be that of the curated rows. */
export async function expectContract(
  settings: Settings,
  executionDate: string,
  report: Pick<RunReport, "measures">,
  rows: readonly SourceRow[],
): Promise<void> {
  await expectRows(settings, executionDate, report, rows);
  const { curated } = await readResults(settings, executionDate);
  await expectAnswers(settings, executionDate, curated);
}

/** Expects every raw row to have come to what the contract says of it. */
export async function expectRows(
  settings: Settings,
  executionDate: string,
  report: Pick<RunReport, "measures">,
  rows: readonly SourceRow[],
): Promise<void> {
  const results = await readResults(settings, executionDate);
  const numbers = accountingOf(report);
  expectAccounted(numbers, results);
  expect(numbers.rows_read).toBe(rows.length);
  expectOutcomes(rows, executionDate, numbers, results);
  expectReasonsCounted(report, results.rejected);
}

/** The law: rows read = rejected + out of scope + curated, and as many are written. */
export async function expectAccountingLaw(
  settings: Settings,
  executionDate: string,
  report: Pick<RunReport, "measures">,
): Promise<Accounting> {
  const numbers = accountingOf(report);
  expectAccounted(numbers, await readResults(settings, executionDate));
  return numbers;
}

function accountingOf({ measures }: Pick<RunReport, "measures">): Accounting {
  const [counted = {}] = measures["measures.row_accounting"] ?? [];
  const { rows_read, rejected, out_of_scope, curated } = counted;
  return {
    rows_read: Number(rows_read),
    rejected: Number(rejected),
    out_of_scope: Number(out_of_scope),
    curated: Number(curated),
  };
}

function expectAccounted(numbers: Accounting, { curated, rejected }: Results): void {
  const { rows_read, out_of_scope } = numbers;
  expect(numbers).toEqual({
    rows_read: rejected.length + out_of_scope + curated.length,
    rejected: rejected.length,
    out_of_scope,
    curated: curated.length,
  });
  expect(rows_read).toBe(numbers.rejected + out_of_scope + numbers.curated);
}

function expectOutcomes(
  rows: readonly SourceRow[],
  executionDate: string,
  { out_of_scope }: Accounting,
  { curated, rejected }: Results,
): void {
  const moment = executionMoment(executionDate);
  const allowed = rows.map((source) =>
    outcomesOf(source.row, moment).map((outcome) => keyOf(outcome, source)),
  );
  const found = [
    ...rejected.map(({ reasons, texts, file }) => rejectedKey(reasons, texts, file)),
    ...curated.map(curatedKey),
    ...Array.from({ length: out_of_scope }, () => OUT_OF_SCOPE),
  ];
  const { things, places } = match(allowed, found);
  const unexplained = things.map((thing) => ({ allowed: allowed[thing], raw: rows[thing] }));
  expect({ unexplained: unexplained.slice(0, 5), found: places.slice(0, 5) }).toEqual({
    unexplained: [],
    found: [],
  });
}

const OUT_OF_SCOPE = "out of scope";

function keyOf(outcome: Outcome, { row, file }: SourceRow): string {
  if (outcome.kind === "out of scope") return OUT_OF_SCOPE;
  if (outcome.kind === "curated") return curatedKey(outcome.row);
  return rejectedKey(
    outcome.reasons,
    COLUMNS.map((column) => row[column].text),
    file,
  );
}

/** A CSV cannot tell an empty text from none. */
function rejectedKey(reasons: readonly string[], texts: readonly (string | null)[], file: string): string {
  return JSON.stringify([reasons, texts.map((text) => text ?? ""), file]);
}

function curatedKey(row: CuratedRow): string {
  return JSON.stringify(Object.values(row).map((value) => (value === null ? null : String(value))));
}

async function readResults(settings: Settings, executionDate: string): Promise<Results> {
  const curated = await query(
    `SELECT
       epoch_us("timestamp") AS "timestamp", ${wholeSql("country_code")}, epoch_us(last_order_ts) AS last_order_ts,
       epoch_us(first_order_ts) AS first_order_ts, total_orders, voucher_amount, days_since_last_order,
       frequent_segment, recency_segment
     FROM ${partition(settings.zones.curated, "vouchers", executionDate)}`,
  );
  const rejected = await query(
    `SELECT ${COLUMNS.map(wholeSql).join(", ")}, reject_reasons, source_file
     FROM ${partition(settings.zones.curated, "vouchers_rejected", executionDate)}`,
  );
  return {
    curated: curated.map((row) => ({
      ...(row as unknown as CuratedRow),
      country_code: String(wholeText(row["country_code"])),
      timestamp: BigInt(textOf(row, "timestamp")),
      last_order_ts: BigInt(textOf(row, "last_order_ts")),
      first_order_ts: row["first_order_ts"] == null ? null : BigInt(textOf(row, "first_order_ts")),
    })),
    rejected: rejected.map((row) => ({
      reasons: row["reject_reasons"] as string[],
      texts: COLUMNS.map((column) => wholeText(row[column])),
      file: textOf(row, "source_file"),
    })),
  };
}

function partition(zone: string, table: string, executionDate: string): string {
  const { partitionKey } = parseExecutionDate(executionDate);
  const file = `${zone}/${table}/execution_date=${partitionKey}/data.parquet`;
  return `read_parquet('${file}', hive_partitioning = false)`;
}

function expectReasonsCounted(
  { measures }: Pick<RunReport, "measures">,
  rejected: readonly Rejected[],
): void {
  const counts: Record<string, string> = {};
  for (const reason of rejected.flatMap(({ reasons }) => reasons))
    counts[reason] = String(Number(counts[reason] ?? 0) + 1);
  const measured = measures["measures.rejected_by_reason"] ?? [];
  expect(Object.fromEntries(measured.map((row) => [row["reject_reason"], row["rejected"]]))).toEqual(counts);
}

async function expectAnswers(settings: Settings, executionDate: string, curated: readonly CuratedRow[]) {
  const { partitionKey } = parseExecutionDate(executionDate);
  for (const kind of SEGMENT_KINDS) {
    const table = `voucher_${kind.replace("_segment", "")}_most_used`;
    const expected = recountMostUsed(curated, kind);
    const provided = await query(
      `SELECT ${wholeSql("country_code")}, ${kind} AS segment, voucher_amount, assignments, segment_assignments
       FROM ${partition(settings.zones.provision, table, executionDate)}`,
    );
    const numbers = provided.map((row) => ({
      ...row,
      country_code: wholeText(row["country_code"]),
      assignments: Number(row["assignments"]),
      segment_assignments: Number(row["segment_assignments"]),
    }));
    expect(numbers).toEqual(expected);
    const published = await readTable(
      settings,
      `SELECT country_code, ${kind} AS segment, voucher_amount FROM ${table} WHERE execution_date = '${partitionKey}'`,
    );
    const answers = expected.map(({ country_code, segment, voucher_amount }) => ({
      country_code,
      segment,
      voucher_amount,
    }));
    expect(sorted(published)).toEqual(sorted(answers));
  }
}

function sorted(rows: readonly unknown[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
