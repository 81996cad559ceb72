import * as z from "zod";
import { compareCodePoints } from "../../base/words.js";
import { CERTAINTY_WORDS, type CertaintyWord } from "../../voucher/certainty.js";
import type { Answers, Cell, Place } from "../../voucher/published-answers.js";
import { SEGMENT_KINDS, type SegmentKind } from "../../voucher/segment-rules.js";

/** The orders for the rows of a table. */
export const SORTS = ["country", "certainty", "change"] as const;
export type Sort = (typeof SORTS)[number];

const MAX_SEARCH_LENGTH = 200;

/** An optional parameter. A form sends an empty one for an empty field. */
export function maybe<Schema extends z.ZodType>(type: Schema): z.ZodPreprocess<z.ZodOptional<Schema>> {
  return z.preprocess((value) => (value === "" ? undefined : value), type.optional());
}

/** The parameters that select answers. */
export const CHOICE = {
  certainty: maybe(z.enum(CERTAINTY_WORDS, `must be ${CERTAINTY_WORDS.join(", ")}`)),
  changed: maybe(z.literal("yes", "must be yes")),
  q: maybe(z.string().trim().max(MAX_SEARCH_LENGTH)),
  sort: maybe(z.enum(SORTS, `must be ${SORTS.join(", ")}`)),
};

/** The selection and the order of answers. */
export interface Choice {
  readonly certainty?: CertaintyWord | undefined;
  readonly changed?: "yes" | undefined;
  /** A part of the name of a country, in any case and without its accents. */
  readonly q?: string | undefined;
  readonly sort?: Sort | undefined;
}

/** An answer, compared with the previous one. */
export interface ShownAnswer extends Place {
  /** Undefined if the answer is gone. */
  readonly cell: Cell | undefined;
  /** Undefined if it is new, or if there is no other publication. */
  readonly before: Cell | undefined;
  readonly hasChanged: boolean;
  /** Whether it is selected. The others of its country are shown next to it. */
  readonly isChosen: boolean;
  /** Whether it counts. An answer that is gone is selected with the others, but counts only as a change. */
  readonly isCounted: boolean;
}

/** The answers of a country for one kind of segment. At least one of them is selected. */
export interface ShownRow {
  readonly countryCode: string;
  readonly answers: ReadonlyMap<string, ShownAnswer>;
}

/** The rows of each kind of segment. */
export type ShownTables = Readonly<Record<SegmentKind, readonly ShownRow[]>>;

/** The selected answers of a publication. */
export interface ShownAnswers {
  readonly tables: ShownTables;
  /** The number of selected answers. */
  readonly count: number;
  /** The number of their countries. */
  readonly countries: number;
  /** The number without a selection by certainty or by change. */
  readonly all: number;
  /** The numbers for each word with the same other parameters; undefined if the certainty is unknown. */
  readonly byWord: Readonly<Record<CertaintyWord, number>> | undefined;
  /** The number if only changed answers were selected. */
  readonly changed: number;
}

/**
 * Selects answers of a publication.
 * @param before the publication to compare with; undefined if there is none.
 */
export function chooseAnswers(answers: Answers, before: Answers | undefined, choice: Choice): ShownAnswers {
  const all = [...comparedAnswers(answers, before)];
  const found = all.filter(nameContains(choice.q ?? ""));
  // An answer that is gone keeps its certainty.
  const isChosen = ({ before: earlier, cell, hasChanged }: Compared, { certainty, changed }: Choice) =>
    (changed === undefined || hasChanged) &&
    (certainty === undefined || (cell ?? earlier)?.certainty?.word === certainty);
  const isCounted = (answer: Compared, choice: Choice) =>
    isChosen(answer, choice) && (choice.changed ?? answer.cell) !== undefined;
  const count = (others: Choice) => found.filter((answer) => isCounted(answer, others)).length;
  const shown = found.map((answer): ShownAnswer => ({
    ...answer,
    isChosen: isChosen(answer, choice),
    isCounted: isCounted(answer, choice),
  }));
  const isCertaintyKnown = all.some(({ cell }) => cell?.certainty !== undefined);
  const counted = shown.filter((answer) => answer.isCounted);
  const rows = (kind: SegmentKind) => rowsOf(shown, kind, choice.sort ?? "country");
  return {
    tables: { frequent_segment: rows("frequent_segment"), recency_segment: rows("recency_segment") },
    count: counted.length,
    countries: new Set(counted.map(({ countryCode }) => countryCode)).size,
    all: count({}),
    byWord: isCertaintyKnown
      ? {
          sure: count({ ...choice, certainty: "sure" }),
          likely: count({ ...choice, certainty: "likely" }),
          "toss-up": count({ ...choice, certainty: "toss-up" }),
        }
      : undefined,
    changed: count({ ...choice, changed: "yes" }),
  };
}

/** The answers that count, one by one, in the order of the tables. */
export function* chosenAnswers({ tables }: ShownAnswers, answers: Answers): Generator<ShownAnswer> {
  for (const kind of SEGMENT_KINDS) {
    for (const row of tables[kind]) {
      for (const { name } of answers.segments[kind].segments) {
        const answer = row.answers.get(name);
        if (answer?.isCounted === true) yield answer;
      }
    }
  }
}

type Compared = Omit<ShownAnswer, "isChosen" | "isCounted">;

/** Every answer of a publication, and those that are gone since the previous one. */
function* comparedAnswers(answers: Answers, before: Answers | undefined): Generator<Compared> {
  for (const { cell, ...place } of answers.cells()) {
    const earlier = before?.cell(place.kind, place.countryCode, place.segment);
    const hasChanged = before !== undefined && earlier?.voucherAmount !== cell.voucherAmount;
    yield { ...place, cell, before: earlier, hasChanged };
  }
  for (const { cell: earlier, ...place } of before?.cells() ?? []) {
    // A segment that the rules no longer have has no column.
    const isKnown = answers.segments[place.kind].segments.some(({ name }) => name === place.segment);
    if (isKnown && answers.cell(place.kind, place.countryCode, place.segment) === undefined)
      yield { ...place, cell: undefined, before: earlier, hasChanged: true };
  }
}

function nameContains(search: string): (place: Place) => boolean {
  if (search === "") return () => true;
  const wanted = searchable(search);
  const known = new Map<string, boolean>();
  return ({ countryCode }) => {
    const isFound = known.get(countryCode) ?? searchable(countryCode).includes(wanted);
    known.set(countryCode, isFound);
    return isFound;
  };
}

function searchable(text: string): string {
  return text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function rowsOf(answers: readonly ShownAnswer[], kind: SegmentKind, sort: Sort): ShownRow[] {
  const rows = new Map<string, Map<string, ShownAnswer>>();
  for (const answer of answers) {
    if (answer.kind !== kind) continue;
    const row = rows.get(answer.countryCode) ?? new Map<string, ShownAnswer>();
    rows.set(answer.countryCode, row.set(answer.segment, answer));
  }
  return [...rows]
    .map(([countryCode, row]) => ({ countryCode, answers: row, rank: RANKS[sort]([...row.values()]) }))
    .filter((row) => [...row.answers.values()].some(({ isChosen }) => isChosen))
    .sort((a, b) => a.rank - b.rank || compareCodePoints(a.countryCode, b.countryCode));
}

/** The rank of a row, the lowest first: its least certain answer, or the change with the most vouchers. */
const RANKS: Readonly<Record<Sort, (row: readonly ShownAnswer[]) => number>> = {
  country: () => 0,
  certainty: (row) =>
    Math.min(...row.map(({ cell, isChosen }) => (isChosen ? (cell?.certainty?.chance ?? 1) : 1))),
  change: (row) =>
    -Math.max(
      ...row.map(({ cell, before, hasChanged, isChosen }) =>
        hasChanged && isChosen ? ((cell ?? before)?.segmentAssignments ?? 0) : 0,
      ),
    ),
};
