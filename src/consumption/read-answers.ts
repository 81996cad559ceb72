import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import type { Publication } from "../voucher/publication-identity.js";
import {
  Answers,
  Cells,
  type Cell,
  type CountryAnswer,
  type Place,
  type RunnerUp,
} from "../voucher/published-answers.js";
import { readSegments } from "../voucher/read-segments.js";
import {
  parseSegments,
  SEGMENT_KINDS,
  SEGMENTS_FILE,
  type SegmentKind,
  type Segments,
} from "../voucher/segment-rules.js";
import { damaged, type Consumption } from "./consumption.js";
import type { RowParts } from "./published-rows.js";
import type { PublishedRow } from "./schema.js";
import { readSqlVersion } from "./sql-versions.js";
import { openTable, type RowFilter, type TableReader } from "./table-pages.js";

/** Where segments are that the database does not have. */
interface KnownSegments {
  /** Has those of publications that are older than the record of their SQL. */
  readonly sqlDirectory: string;
  /** Is told where they are taken from there. */
  readonly warn: (message: string) => void;
}

/**
 * Reads all answers of a publication, with the segments that its vouchers were put into, whatever the newest SQL says.
 * @throws PublicationReplaced where its execution date is published anew meanwhile.
 */
export async function readAnswersOf(
  consumption: Consumption,
  publication: Publication,
  known: KnownSegments,
): Promise<Answers> {
  return readAnswers(consumption, publication, await readSegmentsOf(consumption, publication, known));
}

async function readSegmentsOf(
  consumption: Consumption,
  { sqlHash, sqlVersion }: Publication,
  { sqlDirectory, warn }: KnownSegments,
): Promise<Segments> {
  const file = path.posix.join(sqlVersion, SEGMENTS_FILE);
  const text = (await readSqlVersion(consumption, sqlHash))?.get(file);
  if (text !== undefined) return parseSegments(text, `${file} of the SQL ${sqlHash}`);
  if (!/^v[1-9][0-9]*$/.test(sqlVersion)) {
    const message = `a publication is of the SQL version ${printable(sqlVersion)}, which is none; restore the database`;
    throw new PipelineError("CONSUMPTION_NOT_USABLE", message);
  }
  warn(`the SQL ${sqlHash} of a publication was not kept: its segments are those of ${file}`);
  return readSegments(path.join(sqlDirectory, sqlVersion));
}

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
