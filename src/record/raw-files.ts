import { ignoredLines, sameBytesLines } from "../raw/notices.js";
import type { RunReport } from "./run-record.js";

/** `timestamp VARCHAR, total_orders BIGINT`. */
export function columnsInWords(columns: RunReport["raw_columns"][number]["columns"]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(", ");
}

/** What a report shows of raw files that need attention; nothing if there are none. */
export function rawNotices({
  ignored_files,
  same_bytes,
}: Pick<RunReport, "ignored_files" | "same_bytes">): { heading: string; lines: readonly string[] }[] {
  return [
    {
      heading: `raw files ignored because of their names: ${ignored_files.count.toString()}`,
      lines: ignoredLines(ignored_files),
    },
    {
      heading: "raw files with the same bytes; the rows of each of them count",
      lines: sameBytesLines(same_bytes),
    },
  ].filter(({ lines }) => lines.length > 0);
}
