import { Answers, type CountryAnswer, type PlacedCell, type RunnerUp } from "../voucher/answers.js";
import type { Publication } from "../voucher/publication.js";
import { SEGMENT_KINDS, type SegmentKind, type Segments } from "../voucher/segments.js";
import type { Consumption } from "./consumption.js";
import { openTable, type RowFilter, type TableReader } from "./table-pages.js";
import type { PublishedRow } from "./tables.js";

/** Small enough that no other request waits for long while SQLite reads them. */
const ROWS_PER_PAGE = 2_000;

/** The published table that every answer is the first rank of. An audit of each run holds the tables of the answers to it. */
export const USAGE_TABLE = "voucher_amount_usage";
const COUNTRY_TABLE = "voucher_country_most_used";

/**
 * Reads all answers of a publication.
 * @throws PublicationReplaced where its execution date is published anew meanwhile.
 */
export async function readAnswers(
  consumption: Consumption,
  publication: Publication,
  segments: Segments,
): Promise<Answers> {
  const twoMostUsed: RowFilter = (query) => query.where("amount_rank", "<=", 2);
  const usage = await openTable(consumption, publication, USAGE_TABLE, twoMostUsed);
  const countries = await openTable(consumption, publication, COUNTRY_TABLE);
  const cells = usage === undefined ? [] : cellsOf(await allRowsOf(usage));
  return new Answers(publication, segments, cells, countries && (await readCountries(countries)));
}

async function allRowsOf(table: TableReader): Promise<PublishedRow[]> {
  const rows: PublishedRow[] = [];
  for await (const row of rowsOf(table)) rows.push(row);
  return rows;
}

/** The answers in rows of the table of uses, each with its runner-up; the other ranks do not count. */
export function cellsOf(rows: Iterable<PublishedRow>): Iterable<PlacedCell> {
  const cells = new Map<string, PlacedCell>();
  const runnersUp = new Map<string, RunnerUp>();
  for (const row of rows) {
    const rank = Number(row["amount_rank"]);
    if (rank > 2) continue;
    const place = JSON.stringify([row["segment_kind"], row["country_code"], row["segment"]]);
    const voucherAmount = Number(row["voucher_amount"]);
    const assignments = Number(row["assignments"]);
    if (rank === 2) {
      runnersUp.set(place, { voucherAmount, assignments });
      continue;
    }
    cells.set(place, {
      kind: kindOf(row),
      countryCode: String(row["country_code"]),
      segment: String(row["segment"]),
      cell: {
        voucherAmount,
        assignments,
        segmentAssignments: Number(row["segment_assignments"]),
        runnerUp: undefined,
      },
    });
  }
  for (const [place, runnerUp] of runnersUp) {
    const placed = cells.get(place);
    if (placed !== undefined) cells.set(place, { ...placed, cell: { ...placed.cell, runnerUp } });
  }
  return cells.values();
}

async function readCountries(countries: TableReader): Promise<Map<string, CountryAnswer>> {
  const answers = new Map<string, CountryAnswer>();
  for await (const row of rowsOf(countries)) {
    answers.set(String(row["country_code"]), {
      voucherAmount: Number(row["voucher_amount"]),
      assignments: Number(row["assignments"]),
      countryAssignments: Number(row["country_assignments"]),
    });
  }
  return answers;
}

async function* rowsOf(table: TableReader): AsyncGenerator<PublishedRow> {
  let page = await table.page(undefined, ROWS_PER_PAGE);
  yield* page.rows;
  while (page.next !== undefined) {
    page = await table.page(page.next, ROWS_PER_PAGE);
    yield* page.rows;
  }
}

function kindOf(row: PublishedRow): SegmentKind {
  const kind = SEGMENT_KINDS.find((name) => name === row["segment_kind"]);
  if (kind === undefined) throw new RangeError(`no segment is of the kind ${String(row["segment_kind"])}`);
  return kind;
}
