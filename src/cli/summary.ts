import { textTable } from "../base/text-table.js";
import { inWords } from "../introspect/diff.js";
import type { RunReport } from "../record/report.js";
import { describeBroken, describeThreshold } from "../run/audits.js";
import { rawNotices } from "../run/raw-notices.js";

/** What a person reads at the end of a run. */
export function summaryOf(report: RunReport): string {
  const parts = [
    `${report.stages.join(", ")} for ${report.execution_date}: done in ${report.seconds.toFixed(1)} s`,
    ...measureSections(report.measures),
    ...rawNoticeTexts(report),
    driftSection(report),
    section(
      "tables written",
      report.tables.map(({ model, rows, uri }) => ({ table: model, rows, file: uri })),
    ),
    auditsSection(report),
    ...gatePart(report),
    ...publishedPart(report),
    ...(report.run_report === null ? [] : [`report: ${report.run_report.html}`]),
  ];
  return parts.filter((part) => part !== "").join("\n\n");
}

/** The notices about raw files that need attention, each as one text. */
export function rawNoticeTexts(report: Parameters<typeof rawNotices>[0]): string[] {
  return rawNotices(report).map(({ heading, lines }) =>
    [heading, ...lines.map((line) => `  ${line}`)].join("\n"),
  );
}

/** `timestamp VARCHAR, total_orders BIGINT`. */
export function columnsInWords(columns: RunReport["raw_columns"][number]["columns"]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(", ");
}

/** Which columns of the raw files are not as they were. */
export function driftSection({ drift }: RunReport): string {
  return section(
    "columns of the raw files that have changed",
    drift.map(({ model, column, change, types_before, types, files, first }) => ({
      raw: model,
      column,
      change,
      before: types_before.join(", "),
      now: types.join(", "),
      files,
      first: first ?? "",
    })),
  );
}

/** How many audits passed, which of them although rows break them, and the rows that break those that warn. */
export function auditsSection({ audits }: RunReport): string {
  const warned = audits.filter(({ outcome }) => outcome === "warned");
  const passed = audits.filter(({ outcome }) => outcome === "passed");
  const tolerated = passed
    .filter(({ broken }) => broken > 0)
    .map(
      ({ model, audit, broken, threshold }) =>
        `${model} passes the audit ${audit}: ${broken.toString()} rows break it, ${describeThreshold(threshold)} may`,
    );
  const head = `audits passed: ${passed.length.toString()}${warned.length > 0 ? `, warned: ${warned.length.toString()}` : ""}`;
  return [head, ...[...tolerated, ...warned.map(describeBroken)].map(indented)].join("\n");
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}

/** What a publish has changed of the answers, where it was held to a limit. */
function gatePart({ gate }: RunReport): string[] {
  if (gate === null) return [];
  const since = gate.before === null ? "nothing was published before" : `since ${gate.before}`;
  const head = `answers changed: ${gate.count.toString()} of ${gate.answers.toString()}, ${since}; ${gate.max_changed.toString()} may: ${gate.outcome}`;
  const more = gate.count - gate.changes.length;
  const lines = gate.changes.map(inWords).concat(more > 0 ? [`and ${more.toString()} more`] : []);
  return [[head, ...lines.map((line) => `  ${line}`)].join("\n")];
}

function publishedPart({ published, execution_date }: RunReport): string[] {
  if (published === null) return [];
  const rows = published.tables.map(({ table, rows: count, upserted, removed }) => ({
    table,
    rows: count,
    written: upserted,
    removed,
  }));
  return [section(`published: ${stateOf(published, execution_date)}`, rows)];
}

function stateOf(
  { isNew, newest, withdrawn }: NonNullable<RunReport["published"]>,
  executionDate: string,
): string {
  if (withdrawn !== null) return `nothing, readers do not see this data since it was withdrawn`;
  if (!isNew) return "nothing new, readers had the same data already";
  return newest === executionDate
    ? `readers now see ${executionDate}`
    : `${executionDate}; readers still see the newest, ${String(newest)}`;
}

/** The measures that have rows, each as a table. */
export function measureSections(measures: RunReport["measures"]): string[] {
  return Object.entries(measures)
    .map(([name, rows]) => section(titleOf(name), rows))
    .filter((text) => text !== "");
}

/** Rows under a title; empty where there are none. */
export function section(title: string, rows: readonly object[]): string {
  if (rows.length === 0) return "";
  const table = textTable(
    rows.map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, counted(value)]))),
  );
  return `${title}\n${indented(table)}`;
}

/** Whole numbers that the engine gives as text become numbers, so that they stand to the right. */
function counted(value: unknown): unknown {
  return typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
}

function titleOf(measure: string): string {
  return measure.replace(/^measures\./, "").replaceAll("_", " ");
}
