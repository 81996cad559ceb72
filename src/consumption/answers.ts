import { setImmediate } from "node:timers/promises";
import { printable } from "../base/printable.js";
import {
  Answers,
  Cells,
  type Cell,
  type CountryAnswer,
  type Place,
  type RunnerUp,
} from "../voucher/answers.js";
import type { Publication } from "../voucher/publication.js";
import { SEGMENT_KINDS, type SegmentKind, type Segments } from "../voucher/segments.js";
import { damaged, type Consumption } from "./consumption.js";
import type { RowParts } from "./differences.js";
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
  const cells = usage === undefined ? new Cells() : await cellsOf(partsOf(usage));
  return new Answers(publication, segments, cells, countries && (await readCountries(countries)));
}

/** What is known of a country and segment by the rows that were read of it. */
interface Draft extends Place {
  answer?: Omit<Cell, "runnerUp">;
  runnerUp?: RunnerUp;
}

/**
 * The answers in rows of the table of uses, each with its runner-up; the other ranks do not count.
 * @param parts in the order of the table's key, so that the rows of a country and segment follow each other.
 */
export async function cellsOf(parts: RowParts): Promise<Cells> {
  const cells = new Cells();
  let draft: Draft | undefined;
  const finish = () => {
    if (draft?.answer === undefined) return;
    const { answer, runnerUp, ...place } = draft;
    cells.add({ ...place, cell: { ...answer, runnerUp } });
  };
  for await (const rows of parts) {
    for (const row of rows) {
      const rank = Number(row["amount_rank"]);
      if (rank > 2) continue;
      if (draft === undefined || !isOf(draft, row)) {
        finish();
        draft = {
          kind: kindOf(row),
          countryCode: String(row["country_code"]),
          segment: String(row["segment"]),
        };
      }
      const voucherAmount = Number(row["voucher_amount"]);
      const assignments = Number(row["assignments"]);
      if (rank === 2) draft.runnerUp = { voucherAmount, assignments };
      else
        draft.answer = { voucherAmount, assignments, segmentAssignments: Number(row["segment_assignments"]) };
    }
  }
  finish();
  return cells;
}

function isOf({ countryCode, kind, segment }: Place, row: PublishedRow): boolean {
  return row["segment"] === segment && row["segment_kind"] === kind && row["country_code"] === countryCode;
}

async function readCountries(countries: TableReader): Promise<Map<string, CountryAnswer>> {
  const answers = new Map<string, CountryAnswer>();
  for await (const rows of partsOf(countries)) {
    for (const row of rows) {
      answers.set(String(row["country_code"]), {
        voucherAmount: Number(row["voucher_amount"]),
        assignments: Number(row["assignments"]),
        countryAssignments: Number(row["country_assignments"]),
      });
    }
  }
  return answers;
}

async function* partsOf(table: TableReader): AsyncGenerator<readonly PublishedRow[]> {
  let page = await table.page(undefined, ROWS_PER_PAGE);
  yield page.rows;
  while (page.next !== undefined) {
    // SQLite answers at once: without a pause whoever waits for this process would wait until all is read.
    await setImmediate();
    page = await table.page(page.next, ROWS_PER_PAGE);
    yield page.rows;
  }
}

function kindOf(row: PublishedRow): SegmentKind {
  const kind = SEGMENT_KINDS.find((name) => name === row["segment_kind"]);
  if (kind === undefined)
    throw damaged(`a segment of the kind ${printable(String(row["segment_kind"]))}, which does not exist`);
  return kind;
}
