import type { CuratedRow } from "./contract.js";

/** The most used voucher of one country and segment. */
export interface MostUsed {
  readonly country_code: string;
  readonly segment: string;
  readonly voucher_amount: number;
  readonly assignments: number;
  readonly segment_assignments: number;
}

/** The segments of each kind, in the order of the contract. */
const SEGMENTS = {
  frequent_segment: ["0-4", "5-13", "13-37", "37+"],
  recency_segment: ["0-30", "30-60", "60-90", "90-120", "120-180", "180+"],
} as const;
export type SegmentKind = keyof typeof SEGMENTS;
export const SEGMENT_KINDS = Object.keys(SEGMENTS) as SegmentKind[];

/** The most used vouchers as the contract defines them: sorted by country in code points, then by segment. */
export function recountMostUsed(rows: readonly CuratedRow[], kind: SegmentKind): MostUsed[] {
  const countries = [...new Set(rows.map(({ country_code }) => country_code))].sort(byCodePoints);
  return countries.flatMap((country) =>
    SEGMENTS[kind].flatMap((segment) => {
      const group = rows.filter((row) => row.country_code === country && row[kind] === segment);
      return group.length === 0 ? [] : [{ country_code: country, segment, ...mostUsed(group) }];
    }),
  );
}

function mostUsed(group: readonly CuratedRow[]) {
  const counts = new Map<number, number>();
  for (const { voucher_amount } of group) counts.set(voucher_amount, (counts.get(voucher_amount) ?? 0) + 1);
  const assignments = Math.max(...counts.values());
  const amounts = [...counts].filter(([, count]) => count === assignments).map(([amount]) => amount);
  return { voucher_amount: Math.min(...amounts), assignments, segment_assignments: group.length };
}

/** UTF-8 sorts as code points do; JavaScript's own order of texts does not. */
function byCodePoints(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
