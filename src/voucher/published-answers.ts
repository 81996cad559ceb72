import type { Certainty, CertaintyScale } from "./certainty.js";
import type { Publication } from "./publication-identity.js";
import { SEGMENT_KINDS, type SegmentKind, type Segments } from "./segment-rules.js";

/** The answer for a country and segment, with what it rests on. */
export interface Cell {
  /** The most used voucher, in whole currency units. */
  readonly voucherAmount: number;
  /** The vouchers of that amount. */
  readonly assignments: number;
  /** All vouchers of the country and segment. */
  readonly segmentAssignments: number;
  /** The amount that is used most after it; undefined if no other one is used. */
  readonly runnerUp: RunnerUp | undefined;
  /** Undefined in a publication that is older than the table of answers. */
  readonly certainty: Certainty | undefined;
}

export interface RunnerUp {
  readonly voucherAmount: number;
  readonly assignments: number;
}

/** The most used voucher of a country, whatever the segment. */
export interface CountryAnswer {
  readonly voucherAmount: number;
  readonly assignments: number;
  readonly countryAssignments: number;
}

/** A country and segment. */
export interface Place {
  readonly countryCode: string;
  readonly kind: SegmentKind;
  readonly segment: string;
}

/** A cell with its place. */
export interface PlacedCell extends Place {
  readonly cell: Cell;
}

/** Cells by their places. */
export class Cells implements Iterable<PlacedCell> {
  readonly #kinds = new Map<SegmentKind, Map<string, Map<string, Cell>>>();
  #size = 0;

  constructor(cells: Iterable<PlacedCell> = []) {
    for (const placed of cells) this.add(placed);
  }

  /** How many there are. */
  get size(): number {
    return this.#size;
  }

  /** Adds the cell of a place that has none yet. */
  add({ kind, countryCode, segment, cell }: PlacedCell): void {
    const ofKind = present(this.#kinds, kind, () => new Map<string, Map<string, Cell>>());
    present(ofKind, countryCode, () => new Map<string, Cell>()).set(segment, cell);
    this.#size += 1;
  }

  get(kind: SegmentKind, countryCode: string, segment: string): Cell | undefined {
    return this.#kinds.get(kind)?.get(countryCode)?.get(segment);
  }

  hasCountry(countryCode: string): boolean {
    for (const countries of this.#kinds.values()) if (countries.has(countryCode)) return true;
    return false;
  }

  /** Each country that has a cell, once. */
  countryCodes(): ReadonlySet<string> {
    return new Set([...this.#kinds.values()].flatMap((countries) => [...countries.keys()]));
  }

  /** The cells of a kind by country, or those of one country, as they were added. */
  ofKind(kind: SegmentKind, countryCode?: string): Iterable<[string, ReadonlyMap<string, Cell>]> {
    const countries = this.#kinds.get(kind) ?? new Map<string, Map<string, Cell>>();
    if (countryCode === undefined) return countries;
    const segments = countries.get(countryCode);
    return segments === undefined ? [] : [[countryCode, segments]];
  }

  /** By kind, country and segment as they were added. */
  *[Symbol.iterator](): Generator<PlacedCell> {
    for (const [kind, countries] of this.#kinds) {
      for (const [countryCode, segments] of countries) {
        for (const [segment, cell] of segments) yield { kind, countryCode, segment, cell };
      }
    }
  }
}

/** What a SQL version says beside its SQL of how answers are read. */
export interface AnswerRules {
  readonly segments: Segments;
  /** The words of certainty; undefined in versions that are older than these. */
  readonly certainty: CertaintyScale | undefined;
}

/** All answers of one publication. They never change: a later publication has answers of its own. */
export class Answers {
  readonly publication: Publication;
  /** As they were when the publication was made. */
  readonly rules: AnswerRules;
  readonly #cells: Cells;
  readonly #countries: ReadonlyMap<string, CountryAnswer> | undefined;

  /** @param countries undefined if the publication knows none: it is older than that table. */
  constructor(
    publication: Publication,
    rules: AnswerRules,
    cells: Cells,
    countries: ReadonlyMap<string, CountryAnswer> | undefined,
  ) {
    this.publication = publication;
    this.rules = rules;
    this.#cells = cells;
    this.#countries = countries;
  }

  get segments(): Segments {
    return this.rules.segments;
  }

  /** How many countries and segments have an answer. */
  get size(): number {
    return this.#cells.size;
  }

  /** The answer for a country and segment; undefined if no voucher of them is known. */
  cell(kind: SegmentKind, countryCode: string, segment: string): Cell | undefined {
    return this.#cells.get(kind, countryCode, segment);
  }

  /** Whether any voucher of the country is known. */
  hasCountry(countryCode: string): boolean {
    return this.#cells.hasCountry(countryCode);
  }

  /** Each country of which a voucher is known. */
  countryCodes(): ReadonlySet<string> {
    return this.#cells.countryCodes();
  }

  /** Whether the publication says how certain its answers are. Older SQL does not. */
  get knowsCertainty(): boolean {
    // A publication has one table for all its answers: either all have a certainty or none has.
    for (const { cell } of this.#cells) return cell.certainty !== undefined;
    return true;
  }

  /** Whether the publication has an answer for each country, beside those for the segments. */
  get knowsCountries(): boolean {
    return this.#countries !== undefined;
  }

  country(countryCode: string): CountryAnswer | undefined {
    return this.#countries?.get(countryCode);
  }

  /**
   * The cells by kind, country as the database sorts it, and the segments' order.
   * @param only those of this kind or country.
   */
  *cellsInOrder(
    only: { readonly kind?: SegmentKind | undefined; readonly countryCode?: string | undefined } = {},
  ): Generator<PlacedCell> {
    for (const kind of only.kind === undefined ? SEGMENT_KINDS : [only.kind]) {
      const names = this.segments[kind].segments.map(({ name }) => name);
      for (const [countryCode, segments] of this.#cells.ofKind(kind, only.countryCode)) {
        // A segment that the rules do not name comes last.
        for (const segment of new Set([...names, ...segments.keys()])) {
          const cell = segments.get(segment);
          if (cell !== undefined) yield { kind, countryCode, segment, cell };
        }
      }
    }
  }

  /** Every cell there is, by kind, country and segment as they were read. */
  cells(): Iterable<PlacedCell> {
    return this.#cells;
  }
}

function present<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key);
  if (found !== undefined) return found;
  const made = make();
  map.set(key, made);
  return made;
}
