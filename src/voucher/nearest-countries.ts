import { compareCodePoints } from "../base/words.js";
import type { Answers } from "./published-answers.js";

/** The maximum number of suggested names. */
const NAMES_TOLD = 3;
/** The longest name of a country in the contract. A longer text is not a mistyped name. */
const LONGEST = 64;

/** A name of the publication, in its form for comparisons. */
interface Folded {
  readonly name: string;
  readonly folded: string;
  /** Its characters, as bits by their code. Two names that differ by one edit differ by at most two bits. */
  readonly characters: number;
}

/** The names of a publication by the length of their folded form. They are computed once, at the first use. */
const indexes = new WeakMap<Answers, ReadonlyMap<number, readonly Folded[]>>();

/**
 * The countries of a publication whose names are closest to an unknown one, the nearest first. Case and accents do
 * not count. One character may be wrong, missing, surplus or swapped with the next one; names of at least six
 * characters may have two such edits.
 */
export function nearestCountries(answers: Answers, countryCode: string): string[] {
  const folded = fold(countryCode);
  if (folded.length > LONGEST) return [];
  const allowed = editsAllowed(folded.length);
  const characters = charactersOf(folded);
  const index = indexOf(answers);
  const found: { readonly name: string; readonly edits: number }[] = [];
  for (let length = folded.length - allowed; length <= folded.length + allowed; length += 1) {
    for (const candidate of index.get(length) ?? []) {
      if (bitsOf(candidate.characters ^ characters) > 2 * allowed) continue;
      const edits = editsBetween(folded, candidate.folded, allowed);
      if (edits <= allowed) found.push({ name: candidate.name, edits });
    }
  }
  return found
    .sort((a, b) => a.edits - b.edits || compareCodePoints(a.name, b.name))
    .slice(0, NAMES_TOLD)
    .map(({ name }) => name);
}

function editsAllowed(length: number): number {
  // Each two-letter code is one edit away from many others.
  if (length < 3) return 0;
  return length < 6 ? 1 : 2;
}

function indexOf(answers: Answers): ReadonlyMap<number, readonly Folded[]> {
  const known = indexes.get(answers);
  if (known !== undefined) return known;
  const index = new Map<number, Folded[]>();
  for (const name of answers.countryCodes()) {
    const folded = fold(name);
    const entry = { name, folded, characters: charactersOf(folded) };
    const ofLength = index.get(folded.length);
    if (ofLength === undefined) index.set(folded.length, [entry]);
    else ofLength.push(entry);
  }
  indexes.set(answers, index);
  return index;
}

function fold(name: string): string {
  return name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
}

function charactersOf(folded: string): number {
  let bits = 0;
  for (let place = 0; place < folded.length; place += 1) bits |= 1 << (folded.charCodeAt(place) % 32);
  return bits;
}

function bitsOf(number: number): number {
  let bits = 0;
  for (let rest = number; rest !== 0; rest &= rest - 1) bits += 1;
  return bits;
}

/** Three rows of the table of edits, for the longest names and two edits more. */
const ROWS = [0, 1, 2].map(() => new Uint8Array(LONGEST + 4));

/**
 * The number of edits between two texts, where a swap of two neighbours is one; any number above `most` if there are
 * more.
 */
function editsBetween(one: string, other: string, most: number): number {
  // Names of one list often begin the same, and equal ends need no table.
  let start = 0;
  while (start < one.length && one.charCodeAt(start) === other.charCodeAt(start)) start += 1;
  let [end, otherEnd] = [one.length, other.length];
  while (end > start && otherEnd > start && one.charCodeAt(end - 1) === other.charCodeAt(otherEnd - 1)) {
    end -= 1;
    otherEnd -= 1;
  }
  return editsOfParts(one.slice(start, end), other.slice(start, otherEnd), most);
}

function editsOfParts(one: string, other: string, most: number): number {
  let [before, previous, current] = ROWS as [Uint8Array, Uint8Array, Uint8Array];
  for (let column = 0; column <= other.length; column += 1) previous[column] = column;
  for (let row = 1; row <= one.length; row += 1) {
    current[0] = row;
    let least = row;
    const unit = one.charCodeAt(row - 1);
    for (let column = 1; column <= other.length; column += 1) {
      const otherUnit = other.charCodeAt(column - 1);
      let edits = (previous[column - 1] ?? 0) + (unit === otherUnit ? 0 : 1);
      edits = lesser(edits, lesser(previous[column] ?? 0, current[column - 1] ?? 0) + 1);
      const isSwap =
        row > 1 &&
        column > 1 &&
        unit === other.charCodeAt(column - 2) &&
        one.charCodeAt(row - 2) === otherUnit;
      if (isSwap) edits = lesser(edits, (before[column - 2] ?? 0) + 1);
      current[column] = edits;
      least = lesser(least, edits);
    }
    if (least > most) return least;
    const free = before;
    before = previous;
    previous = current;
    current = free;
  }
  return previous[other.length] ?? 0;
}

function lesser(one: number, other: number): number {
  return one < other ? one : other;
}
