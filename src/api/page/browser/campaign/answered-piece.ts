import type { PricedLine, PriceSummary } from "../../../v1/campaign-schema.js";

const SUMMARY = '{"summary":';

/** What the service answers to a piece of a file. */
export interface AnsweredPiece {
  readonly lines: readonly PricedLine[];
  readonly summary: PriceSummary;
}

/** Whether the NDJSON of an answer has its end: the totals are its last line. */
export function isWhole(text: string): boolean {
  return text.startsWith(SUMMARY, summaryStart(text)) && text.endsWith("}\n");
}

/**
 * Reads the NDJSON of a whole answer.
 * @param before how many lines the pieces before had: the service counts those of each piece from 1.
 */
export function readAnswer(text: string, before: number): AnsweredPiece {
  const start = summaryStart(text);
  const { summary } = JSON.parse(text.slice(start)) as { readonly summary: PriceSummary };
  const lines = text
    .slice(0, start)
    .split("\n")
    .slice(0, -1)
    .map((line) => numberedFrom(before, JSON.parse(line) as PricedLine));
  return { lines, summary };
}

function summaryStart(text: string): number {
  return text.lastIndexOf("\n", text.length - 2) + 1;
}

function numberedFrom(before: number, priced: PricedLine): PricedLine {
  return { ...priced, line: priced.line + before };
}
