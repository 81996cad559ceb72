/** A part of a document that a reader does, or sees. */
export interface Block {
  /** `sh` is typed, `text` and `json` are what comes of it, anything else is the content of a file. */
  readonly language: string;
  /** What follows the language: the path of the file that the block is the content of. */
  readonly file: string;
  readonly content: string;
  /** Where it begins in the document, from 1. */
  readonly line: number;
}

/** The fenced blocks of a Markdown document, in their order. */
export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(/^```([a-z]+) ?(.*)\n([\s\S]*?)^```$/gm)].map(
    ({ 1: language = "", 2: file = "", 3: content = "", index }) => ({
      language,
      file,
      content,
      line: markdown.slice(0, index).split("\n").length,
    }),
  );
}

/** A pattern of what is shown: `…` stands for anything within a line and, alone in its line, for any lines. */
export function patternOf(shown: string): RegExp {
  const lines = shown
    .trim()
    .split("\n")
    .map((line) => (line.trim() === "…" ? "(?:.*\n)*?" : `${line.split("…").map(escaped).join(".*?")} *\n`));
  return new RegExp(`^\\s*${lines.join("").slice(0, -1)}\\s*$`);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
