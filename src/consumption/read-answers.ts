import path from "node:path";
import { setImmediate } from "node:timers/promises";
import { PipelineError } from "../base/errors.js";
import { printable } from "../base/words.js";
import {
  CERTAINTY_FILE,
  CERTAINTY_WORDS,
  parseCertaintyScale,
  type Certainty,
} from "../voucher/certainty.js";
import type { Publication } from "../voucher/publication-identity.js";
import {
  Answers,
  Cells,
  type AnswerRules,
  type CountryAnswer,
  type RunnerUp,
} from "../voucher/published-answers.js";
import { readSegments } from "../voucher/read-segments.js";
import { parseSegments, SEGMENT_KINDS, SEGMENTS_FILE, type SegmentKind } from "../voucher/segment-rules.js";
import { damaged, type Consumption } from "./consumption.js";
import type { RowParts } from "./published-rows.js";
import type { PublishedRow } from "./schema.js";
import { readSqlVersion } from "./sql-versions.js";
import { openTable, type TableReader } from "./table-pages.js";

/** A source for segments that the database does not have. */
interface KnownRules {
  /** The folder with the segments of publications that are older than the record of their SQL. */
  readonly sqlDirectory: string;
  /** Receives a warning if segments come from there. */
  readonly warn: (message: string) => void;
}

/**
 * Reads all answers of a publication, with the segments of its own SQL, whatever the newest SQL defines.
 * @throws PublicationReplaced if its execution date is published again meanwhile.
 */
export async function readAnswersOf(
  consumption: Consumption,
  publication: Publication,
  known: KnownRules,
): Promise<Answers> {
  return readAnswers(consumption, publication, await readRulesOf(consumption, publication, known));
}

async function readRulesOf(
  consumption: Consumption,
  { sqlHash, sqlVersion }: Publication,
  { sqlDirectory, warn }: KnownRules,
): Promise<AnswerRules> {
  const texts = await readSqlVersion(consumption, sqlHash);
  const file = path.posix.join(sqlVersion, SEGMENTS_FILE);
  const text = texts?.get(file);
  if (text !== undefined) {
    const scaleFile = path.posix.join(sqlVersion, CERTAINTY_FILE);
    const scale = texts?.get(scaleFile);
    const of = `of the SQL ${sqlHash}`;
    return {
      segments: parseSegments(text, `${file} ${of}`),
      certainty: scale === undefined ? undefined : parseCertaintyScale(scale, `${scaleFile} ${of}`),
    };
  }
  if (!/^v[1-9][0-9]*$/.test(sqlVersion)) {
    const message = `a publication has the invalid SQL version ${printable(sqlVersion)}; restore the database`;
    throw new PipelineError("CONSUMPTION_NOT_USABLE", message);
  }
  warn(`the SQL ${sqlHash} of a publication is not stored, so its segments come from ${file}`);
  return { segments: await readSegments(path.join(sqlDirectory, sqlVersion)), certainty: undefined };
}

/** Small enough that no other request waits long while SQLite reads them. */
const ROWS_PER_PAGE = 2_000;

/** The published table of the answers, each with its runner-up and its certainty. */
const ANSWERS_TABLE = "voucher_answers";
/** The published table whose first rank is the answer. An audit of each run compares it with the tables of the answers. */
export const USAGE_TABLE = "voucher_amount_usage";
const COUNTRY_TABLE = "voucher_country_most_used";

/**
 * Reads all answers of a publication.
 * @throws PublicationReplaced if its execution date is published again meanwhile.
 */
export async function readAnswers(
  consumption: Consumption,
  publication: Publication,
  rules: AnswerRules,
): Promise<Answers> {
  const answers = await openTable(consumption, publication, ANSWERS_TABLE);
  const countries = await openTable(consumption, publication, COUNTRY_TABLE);
  const cells =
    answers === undefined
      ? await cellsOfRanks((rank) => usesOfRank(consumption, publication, rank))
      : await cellsOf(partsOf(answers), runnerUpIn);
  return new Answers(publication, rules, cells, countries && (await readCountries(countries)));
}

/**
 * The answers among the tables of a publish.
 * @returns undefined if it publishes none.
 */
export async function answersAmong(
  contents: readonly { readonly table: { readonly name: string }; readonly parts: () => RowParts }[],
): Promise<Cells | undefined> {
  const answers = contents.find(({ table }) => table.name === ANSWERS_TABLE);
  if (answers !== undefined) return cellsOf(answers.parts(), runnerUpIn);
  const usage = contents.find(({ table }) => table.name === USAGE_TABLE);
  return usage && cellsOfRanks((rank) => ofRank(usage.parts(), rank));
}

async function* ofRank(parts: RowParts, rank: number): AsyncGenerator<readonly PublishedRow[]> {
  for await (const rows of parts) yield rows.filter(({ amount_rank }) => Number(amount_rank) === rank);
}

/** The answers from the table of uses. Publications that are older than the table of answers have only that. */
async function cellsOfRanks(ofRank: (rank: number) => RowParts): Promise<Cells> {
  const runnersUp = new Map<string, RunnerUp>();
  const placeOf = ({ country_code, segment_kind, segment }: PublishedRow) =>
    JSON.stringify([country_code, segment_kind, segment]);
  for await (const rows of ofRank(2)) {
    for (const row of rows) {
      const { voucher_amount, assignments } = row;
      const runnerUp = { voucherAmount: Number(voucher_amount), assignments: Number(assignments) };
      runnersUp.set(placeOf(row), runnerUp);
    }
  }
  return cellsOf(ofRank(1), (row) => runnersUp.get(placeOf(row)));
}

async function cellsOf(
  parts: RowParts,
  runnerUpOf: (row: PublishedRow) => RunnerUp | undefined,
): Promise<Cells> {
  const cells = new Cells();
  for await (const rows of parts) {
    for (const row of rows) {
      cells.add({
        kind: kindOf(row),
        countryCode: String(row["country_code"]),
        segment: String(row["segment"]),
        cell: {
          voucherAmount: Number(row["voucher_amount"]),
          assignments: Number(row["assignments"]),
          segmentAssignments: Number(row["segment_assignments"]),
          runnerUp: runnerUpOf(row),
          certainty: certaintyOf(row),
        },
      });
    }
  }
  return cells;
}

function runnerUpIn({ runner_up, runner_up_assignments }: PublishedRow): RunnerUp | undefined {
  if (runner_up === undefined || runner_up === null) return undefined;
  return { voucherAmount: Number(runner_up), assignments: Number(runner_up_assignments) };
}

function certaintyOf({ certainty, certainty_word }: PublishedRow): Certainty | undefined {
  if (certainty === undefined) return undefined;
  const word = CERTAINTY_WORDS.find((name) => name === certainty_word);
  if (word === undefined)
    throw damaged(`an answer with the unknown certainty ${printable(String(certainty_word))}`);
  return { chance: Number(certainty), word };
}

async function* usesOfRank(
  consumption: Consumption,
  publication: Publication,
  rank: number,
): AsyncGenerator<readonly PublishedRow[]> {
  const usage = await openTable(consumption, publication, USAGE_TABLE, (query) =>
    query.where("amount_rank", "=", rank),
  );
  if (usage !== undefined) yield* partsOf(usage);
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
    // SQLite responds without a pause. Without this one, all other work of this process would wait until every row is
    // read.
    await setImmediate();
    page = await table.page(page.next, ROWS_PER_PAGE);
    yield page.rows;
  }
}

function kindOf(row: PublishedRow): SegmentKind {
  const kind = SEGMENT_KINDS.find((name) => name === row["segment_kind"]);
  if (kind === undefined)
    throw damaged(`a segment of the unknown kind ${printable(String(row["segment_kind"]))}`);
  return kind;
}
