import { textTable } from "../base/text-table.js";
import { counted } from "../base/words.js";
import { changeInWords } from "./changed-answers.js";
import { rawNotices } from "./findings-in-words.js";
import type { ToldRun } from "./past-run.js";
import type { RunReport } from "./run-record.js";
import { sentencesOf } from "./sentences.js";
import type { Block, Column, Section, Story } from "./story.js";

/** More changed answers than this are counted at the end of a run. */
const CHANGES_TOLD = 3;

/** What a person reads at the end of a run that has succeeded: about ten lines. */
export function summaryOf(run: ToldRun): string {
  const { report } = run;
  const { count = 0, changes = [] } = report.answers?.changed ?? {};
  const told = changes.slice(0, CHANGES_TOLD);
  const more = count - told.length;
  const end = `It took ${report.seconds.toFixed(1)} s.`;
  return [
    ...sentencesOf(run),
    ...told.map((change) => `  ${changeInWords(change)}`),
    ...(more > 0 ? [`  and ${counted(more)} more: pipeline diff`] : []),
    report.run_report === null ? end : `${end} Report: ${report.run_report.html}`,
  ].join("\n");
}

/** All that is told of a run, as text for a terminal. */
export function textOf({ title, sentences, facts, sections }: Story): string {
  const width = Math.max(...facts.map(({ name }) => name.length));
  return [
    [title, ...sentences].join("\n"),
    facts.map(({ name, value }) => `${name.padEnd(width)}  ${value}`).join("\n"),
    ...sections.map(sectionText),
  ].join("\n\n");
}

/** The measures that have rows, each as a table under its name. */
export function measureTables(measures: RunReport["measures"]): string[] {
  return Object.entries(measures)
    .map(([name, rows]) => titledTable(name.replace(/^measures\./, "").replaceAll("_", " "), rows))
    .filter((text) => text !== "");
}

/** The notices about raw files that need attention, each as one text. */
export function rawNoticeTexts(report: Parameters<typeof rawNotices>[0]): string[] {
  return rawNotices(report).map(({ heading, lines }) =>
    [heading, ...lines.map((line) => `  ${line}`)].join("\n"),
  );
}

/** Rows under a title; empty if there are none. Whole numbers that the engine gives as text stand to the right, as numbers do. */
export function titledTable(title: string, rows: readonly object[]): string {
  if (rows.length === 0) return "";
  const cells = rows.map((row) =>
    Object.fromEntries(Object.entries(row).map(([name, value]) => [name, maybeNumber(value)])),
  );
  return `${title}\n${indented(textTable(cells))}`;
}

function maybeNumber(value: unknown): unknown {
  return typeof value === "string" && /^[0-9]{1,15}$/.test(value) ? Number(value) : value;
}

function sectionText({ heading, blocks }: Section): string {
  return [heading, ...blocks.map((block) => indented(blockText(block)))].join("\n");
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return block.text;
    case "list":
      return block.items.join("\n");
    case "lines":
      return block.lines.join("\n");
    case "table":
      return tableText(block.columns, block.rows);
  }
}

function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  return textTable(
    rows.map((row) => Object.fromEntries(columns.map(({ name }, index) => [name, row[index] ?? ""]))),
    columns.map(({ name }) => name),
    new Set(columns.filter(({ kind }) => kind === "number").map(({ name }) => name)),
  );
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "  ");
}
