import type { Block, Column, Section, Told } from "./story.js";

/** A report as GitHub's Markdown. */
export function markdownOf({ title, sentences, facts, sections }: Told): string {
  const parts = [
    `# ${escaped(title)}`,
    ...sentences.map(escaped),
    facts.map(({ name, value }) => `- ${escaped(name)}: ${escaped(value)}`).join("\n"),
    ...sections.flatMap(sectionParts),
  ];
  return `${parts.join("\n\n")}\n`;
}

function sectionParts({ heading, blocks }: Section): string[] {
  return [`## ${escaped(heading)}`, ...blocks.map(blockText)];
}

function blockText(block: Block): string {
  switch (block.kind) {
    case "paragraph":
      return escaped(block.text);
    case "list":
      return block.items.map((item) => `- ${escaped(item)}`).join("\n");
    case "lines":
      return fenced(block.lines);
    case "table":
      return tableText(block.columns, block.rows);
  }
}

function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(({ name }) => escaped(name))),
    line(columns.map(({ kind }) => (kind === "number" ? "--:" : "---"))),
    ...rows.map((row) =>
      line(
        columns.map(({ kind }, index) =>
          kind === "code" ? codeSpan(row[index] ?? "") : escaped(row[index] ?? ""),
        ),
      ),
    ),
  ].join("\n");
}

/** Escapes characters that have a meaning in Markdown or HTML, or that make a link or a mention of plain text. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\`*_[\]<>&|~@]/g, "\\$&")
    .replaceAll("://", ":\\//")
    .replaceAll(/www\./gi, (www) => `${www.slice(0, -1)}\\.`)
    .replace(/^[#+=-]/, "\\$&")
    .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2");
}

/** Within a table a bar ends the cell, even in code. */
function codeSpan(text: string): string {
  if (text === "" || /[`\\|]/.test(text)) return escaped(text);
  return `\`${text}\``;
}

/** The fence is longer than every row of backticks in the text. */
function fenced(lines: readonly string[]): string {
  const longest = Math.max(
    2,
    ...lines.flatMap((line) => [...line.matchAll(/`+/g)].map(([ticks]) => ticks.length)),
  );
  const fence = "`".repeat(longest + 1);
  return [`${fence}text`, ...lines, fence].join("\n");
}
