import { textTable } from "../base/text-table.js";
import { counting } from "../base/words.js";
import { ignoredLines, offClusterLines, sameBytesLines } from "../raw/file-notices.js";
import type { AuditResult, RunReport } from "./run-record.js";

/** A failed audit with the rows that fail, as text. */
export function describeBroken({ model, audit, promise, broken, threshold, rows }: AuditResult): string {
  const unseen = broken - rows.length;
  const more = unseen > 0 ? `\n  … and ${counting(unseen, "more row")}` : "";
  const allowed = describeThreshold(threshold);
  const fail = broken === 1 ? "fails" : "fail";
  const these =
    allowed === ""
      ? `${broken === 1 ? "This row" : "These rows"} ${fail}`
      : `${counting(broken, "row")} ${fail}, ${allowed} allowed`;
  const table = textTable(rows).replaceAll(/^/gm, "  ");
  return `${model} fails the audit ${audit}. ${promise} ${these}:\n${table}${more}`;
}

/** The number of rows that may fail an audit, in words; empty if none may. */
export function describeThreshold({ rows = 0, share }: AuditResult["threshold"]): string {
  if (share !== undefined) return `${Number((share * 100).toFixed(6)).toString()}%`;
  return rows === 0 ? "" : rows.toString();
}

/** `timestamp VARCHAR, total_orders BIGINT`. */
export function columnsInWords(columns: RunReport["raw_columns"][number]["columns"]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(", ");
}

/** Lists the raw files that need attention; empty if there are none. */
export function rawNotices({
  ignored_files,
  same_bytes,
  off_cluster = [],
}: Pick<RunReport, "ignored_files" | "same_bytes"> & Partial<Pick<RunReport, "off_cluster">>): {
  heading: string;
  lines: readonly string[];
}[] {
  return [
    {
      heading: `raw files ignored because of their names: ${ignored_files.count.toString()}`,
      lines: ignoredLines(ignored_files),
    },
    {
      heading: "raw files that are identical copies; the rows of each copy count",
      lines: sameBytesLines(same_bytes),
    },
    {
      heading: "raw files that DuckDB reads instead of the cluster",
      lines: offClusterLines(off_cluster),
    },
  ].filter(({ lines }) => lines.length > 0);
}
