import type { Certainty, CertaintyScale } from "./certainty.js";
import type { Publication } from "./publication-identity.js";
import { SEGMENT_KINDS, type SegmentKind, type Segments } from "./segment-rules.js";

/** The answer for a country and segment, with its counts. */
export interface Cell {
  /** The most used voucher, in whole currency units. */
  readonly voucherAmount: number;
  /** The vouchers of that amount. */
  readonly assignments: number;
  /** All vouchers of the country and segment. */
  readonly segmentAssignments: number;
  /** The second most used amount; undefined if there is no other one. */
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

  /** The number of cells. */
  get size(): number {
    return this.#size;
  }

  /** Adds the cell of a new place. */
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

  /** Each country with a cell, once. */
  countryCodes(): ReadonlySet<string> {
    return new Set([...this.#kinds.values()].flatMap((countries) => [...countries.keys()]));
  }

  /** The cells of a kind by country, or those of one country, in the order in which they were added. */
  ofKind(kind: SegmentKind, countryCode?: string): Iterable<[string, ReadonlyMap<string, Cell>]> {
    const countries = this.#kinds.get(kind) ?? new Map<string, Map<string, Cell>>();
    if (countryCode === undefined) return countries;
    const segments = countries.get(countryCode);
    return segments === undefined ? [] : [[countryCode, segments]];
  }

  /** By kind, country and segment, in the order in which they were added. */
  *[Symbol.iterator](): Generator<PlacedCell> {
    for (const [kind, countries] of this.#kinds) {
      for (const [countryCode, segments] of countries) {
        for (const [segment, cell] of segments) yield { kind, countryCode, segment, cell };
      }
    }
  }
}

/** The rules of a SQL version for reading answers, apart from its SQL. */
export interface AnswerRules {
  readonly segments: Segments;
  /** The words of certainty; undefined in versions that are older than these. */
  readonly certainty: CertaintyScale | undefined;
}

/** All answers of one publication. They never change: a later publication has its own answers. */
export class Answers {
  readonly publication: Publication;
  /** The rules at the time of the publication. */
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

  /** The number of countries and segments with an answer. */
  get size(): number {
    return this.#cells.size;
  }

  /** The answer for a country and segment; undefined if they have no voucher. */
  cell(kind: SegmentKind, countryCode: string, segment: string): Cell | undefined {
    return this.#cells.get(kind, countryCode, segment);
  }

  /** Whether the country has a voucher. */
  hasCountry(countryCode: string): boolean {
    return this.#cells.hasCountry(countryCode);
  }

  /** Each country with a voucher. */
  countryCodes(): ReadonlySet<string> {
    return this.#cells.countryCodes();
  }

  /** Whether the answers of the publication have a certainty. Those of older SQL do not. */
  get knowsCertainty(): boolean {
    // A publication has one table for all its answers, so all or none of them have a certainty.
    for (const { cell } of this.#cells) return cell.certainty !== undefined;
    return true;
  }

  /** Whether the publication has answers for countries, and not only for segments. */
  get knowsCountries(): boolean {
    return this.#countries !== undefined;
  }

  country(countryCode: string): CountryAnswer | undefined {
    return this.#countries?.get(countryCode);
  }

  /**
   * The cells by kind, by country in the order of the database, and by the segments' order.
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

  /** Every cell, by kind, country and segment in the order in which they were read. */
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
