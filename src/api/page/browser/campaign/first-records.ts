import { type Bytes, isBlank, recordEnd } from "./records.js";

/** The first records, blank lines not counted. */
export function firstRecords(records: Bytes, count: number): Bytes {
  let found = 0;
  let start = 0;
  while (found < count && start < records.length) {
    const end = recordEnd(records, start) ?? records.length;
    if (!isBlank(records, start, end)) found += 1;
    start = end;
  }
  return records.subarray(0, start);
}
