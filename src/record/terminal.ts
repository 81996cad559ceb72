import path from "node:path";
import { textTable } from "../base/text-table.js";
import { counted, counting } from "../base/words.js";
import { answerInWords, changeInWords } from "./answers.js";
import { rawNotices } from "./findings-in-words.js";
import type { ToldRun } from "./past-run.js";
import { answersRejectedRowsCouldChange } from "./row-counts.js";
import type { RunReport } from "./run-record.js";
import {
  certaintySentence,
  changesSentence,
  dutySentence,
  newColumnSentences,
  outcomeSentence,
  rowsSentence,
  sqlSentence,
  toleratedInWords,
} from "./sentences.js";
import type { Block, Column, Section, Told } from "./story.js";

/** The longest list of changed answers in a summary. */
const CHANGES_TOLD = 3;

/** The summary of a successful run: about ten lines. */
export function summaryOf(run: ToldRun): string {
  const { report } = run;
  const end = `It took ${report.seconds.toFixed(1)} s.`;
  return [
    outcomeSentence(run),
    rowsSentence(run),
    `${changesSentence(run)}${isFirst(report) ? " The answers with the most vouchers:" : ""}`,
    ...answersTold(report).map(indented),
    certaintySentence(run),
    ...(report.sql_change === null ? [] : [sqlSentence(report.sql_change)]),
    ...rejectedTold(report),
    ...newColumnSentences(run),
    dutySentence(run),
    ...toleratedInWords(report).map((tolerated) => indented(`tolerated: ${tolerated}`)),
    report.run_report === null ? end : `${end} Report: ${fromHere(report.run_report.html)}`,
  ].join("\n");
}

/** The maximum number of answers that rejected rows could change: the certainty does not include it. */
function rejectedTold(report: RunReport): string[] {
  const answers = answersRejectedRowsCouldChange(report);
  if (answers === 0) return [];
  const command = `npx pipeline rejected -e ${report.execution_date.replace("T00:00:00Z", "")}`;
  return [
    `The rejected rows, if they were valid, could change ${counting(answers, "answer")} at most: ${command}`,
  ];
}

function isFirst({ answers }: RunReport): boolean {
  return answers !== null && answers.changed.before === null && answers.largest.length > 0;
}

/** The changes with the most vouchers, or the answers with the most vouchers if nothing was published before. */
function answersTold({ answers }: RunReport): string[] {
  if (answers === null) return [];
  const { before, after, count, changes } = answers.changed;
  if (before === null) return answers.largest.map(answerInWords);
  const more = count - CHANGES_TOLD;
  return [
    ...changes.slice(0, CHANGES_TOLD).map(changeInWords),
    ...(more > 0 ? [`and ${counted(more)} more: ${diffCommand(before, after)}`] : []),
  ];
}

/** The previous publication of the same date is gone, so `diff` cannot compare it. */
function diffCommand(before: string, after: string): string {
  if (before === after) return "see the report";
  return `npx pipeline diff ${[before, after].map((iso) => iso.replace("T00:00:00Z", "")).join(" ")}`;
}

/** The shortest path from the current folder; a URL stays as it is. */
function fromHere(address: string): string {
  if (address.includes("://")) return address;
  const relative = path.relative("", address);
  return relative.startsWith("..") ? address : relative;
}

/** A full report, as text for a terminal. */
export function textOf({ title, sentences, facts, sections }: Told): string {
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
