import type { Row, RowValue } from "../../engine/builder.js";

/** How a row that a model gives differs from one that is expected. */
export interface Difference {
  /** The number of the expected row, from 0. Null for an unexpected row. */
  readonly row: number | null;
  /** Null if the whole row is missing or not expected. */
  readonly column: string | null;
  readonly expected: RowValue;
  readonly got: RowValue;
}

/** Rows of which only the columns count that they name. */
export interface ExpectedRows {
  readonly rows: readonly Row[];
  /** Whether their order counts. */
  readonly ordered: boolean;
}

/** Compares rows, cell by cell. Each expected row stands for one row. */
export function differencesOf({ rows: expected, ordered }: ExpectedRows, got: readonly Row[]): Difference[] {
  const pairs = ordered ? expected.map((_, index) => index) : matchesOf(expected, got);
  const left = got.map((_, index) => index).filter((index) => !pairs.includes(index));
  const differences: Difference[] = [];
  for (const [row, wanted] of expected.entries()) {
    const index = pairs[row] ?? nearest(wanted, left, got);
    const found = index === undefined ? undefined : got[index];
    if (index !== undefined && left.includes(index)) left.splice(left.indexOf(index), 1);
    if (found === undefined) differences.push({ row, column: null, expected: wanted, got: null });
    else
      for (const [column, value] of Object.entries(wanted))
        if (!isSame(value, found[column] ?? null))
          differences.push({ row, column, expected: value, got: found[column] ?? null });
  }
  return [
    ...differences,
    ...left.map((index) => ({ row: null, column: null, expected: null, got: got[index] ?? null })),
  ];
}

/** For each expected row a row that it equals, as many as possible; undefined for the others. */
function matchesOf(expected: readonly Row[], got: readonly Row[]): (number | undefined)[] {
  const ownerOf = new Map<number, number>();
  const find = (row: number, seen: Set<number>): boolean =>
    got.some((candidate, index) => {
      if (seen.has(index) || !isEqual(expected[row] ?? {}, candidate)) return false;
      seen.add(index);
      const owner = ownerOf.get(index);
      if (owner !== undefined && !find(owner, seen)) return false;
      ownerOf.set(index, row);
      return true;
    });
  for (const row of expected.keys()) find(row, new Set());
  const matches = new Map([...ownerOf].map(([index, row]) => [row, index]));
  return expected.map((_, row) => matches.get(row));
}

/** The row that differs from an expected one in the fewest columns; undefined if none has a value in common with it. */
function nearest(wanted: Row, left: readonly number[], got: readonly Row[]): number | undefined {
  const columns = Object.entries(wanted);
  const likeness = (index: number) =>
    columns.filter(([name, value]) => isSame(value, got[index]?.[name] ?? null)).length;
  const [best] = [...left].sort((a, b) => likeness(b) - likeness(a));
  return best === undefined || (likeness(best) === 0 && columns.length > 1) ? undefined : best;
}

function isEqual(wanted: Row, found: Row): boolean {
  return Object.entries(wanted).every(([column, value]) => isSame(value, found[column] ?? null));
}

/** Fractions may differ in their last digits: people write them shorter. */
function isSame(wanted: RowValue, found: RowValue): boolean {
  if (typeof wanted === "number" && typeof found === "number")
    return wanted === found || Math.abs(wanted - found) <= 1e-9 * Math.max(Math.abs(wanted), Math.abs(found));
  return JSON.stringify(wanted) === JSON.stringify(found);
}
