import { textTable } from "../base/text-table.js";
import type { AuditResult } from "./run-record.js";

/** A broken promise with the rows that break it, as text. */
export function describeBroken({ model, audit, promise, broken, threshold, rows }: AuditResult): string {
  const more = broken > rows.length ? `\n  … and ${(broken - rows.length).toString()} more rows` : "";
  const allowed = describeThreshold(threshold);
  const these = allowed === "" ? "These rows break it" : `${broken.toString()} rows break it, ${allowed} may`;
  const table = textTable(rows).replaceAll(/^/gm, "  ");
  return `${model} breaks the audit ${audit}. ${promise} ${these}:\n${table}${more}`;
}

/** How many rows may break a promise, in words; empty where none may. */
export function describeThreshold({ rows = 0, share }: AuditResult["threshold"]): string {
  if (share !== undefined) return `${Number((share * 100).toFixed(6)).toString()} %`;
  return rows === 0 ? "" : rows.toString();
}
