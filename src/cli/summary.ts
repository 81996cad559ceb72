import type { RunReport } from "../pipeline/report.js";
import { textTable } from "../text-table.js";

/** What a person reads at the end of a run. */
export function summaryOf(report: RunReport): string {
  const parts = [
    `${report.stages.join(", ")} for ${report.execution_date}: done in ${report.seconds.toFixed(1)} s`,
    ...Object.entries(report.measures).map(([name, rows]) => section(titleOf(name), rows)),
    section(
      "tables written",
      report.tables.map(({ model, rows, uri }) => ({ table: model, rows, file: uri })),
    ),
    `audits passed: ${report.audits.length.toString()}`,
    ...publishedPart(report),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

function publishedPart({ published, execution_date }: RunReport): string[] {
  if (published === null) return [];
  const rows = published.tables.map(({ table, rows: count, upserted, removed }) => ({
    table,
    rows: count,
    written: upserted,
    removed,
  }));
  const state = published.isNew
    ? `published: readers now see ${execution_date}`
    : `published: nothing new, readers had the same data already`;
  return [section(state, rows)];
}

function section(title: string, rows: readonly Readonly<Record<string, unknown>>[]): string {
  if (rows.length === 0) return "";
  const table = textTable(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, counted(value)]))),
  );
  return `${title}\n${table.replaceAll(/^/gm, "  ")}`;
}

/** Whole numbers that the engine gives as text become numbers, so that they stand to the right. */
function counted(value: unknown): unknown {
  return typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
}

function titleOf(measure: string): string {
  return measure.replace(/^measures\./, "").replaceAll("_", " ");
}
