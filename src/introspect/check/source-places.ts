import { HEADER, placeInHeader } from "../../models/header.js";
import { placeAt, type Place } from "../../models/yaml-text.js";

/*
 * DuckDB names a place in the rendered text. Loops and filled-in values move it away from its place in the file. So the template is
 * rendered a second time, with a mark before each piece of its text. The marks are private characters that no SQL file has.
 */

const OPEN = "\uE000";
const CLOSE = "\uE001";
const MARK = /\uE000(\d+)(f?)\uE001/y;
/** An output or a tag of Liquid. */
const FILLED_IN = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}/g;

/** The template with a mark before each line and each value that is filled in. Rendered text then has the places of its pieces. */
export function withMarks(template: string): string {
  const start = HEADER.exec(template)?.[0].length ?? 0;
  let text = template.slice(0, start);
  const markLines = (from: number, to: number) => {
    text +=
      markOf(from) +
      template.slice(from, to).replaceAll("\n", (_, at: number) => `\n${markOf(from + at + 1)}`);
  };
  let end = start;
  FILLED_IN.lastIndex = start;
  for (let found = FILLED_IN.exec(template); found !== null; found = FILLED_IN.exec(template)) {
    markLines(end, found.index);
    text += found[0].startsWith("{{") ? `${markOf(found.index, "f")}${found[0]}` : found[0];
    end = found.index + found[0].length;
  }
  markLines(end, template.length);
  return text;
}

function markOf(offset: number, filled = ""): string {
  return `${OPEN}${offset.toString()}${filled}${CLOSE}`;
}

/**
 * The offset in a template of a place in its rendered text. A filled-in value has the offset of its `{{`.
 * @param marked the same text, rendered from the template with marks. Blanks may differ, because a mark ends what a tag trims.
 */
export function offsetInTemplate(rendered: string, at: number, marked: string): number {
  let left = rendered.slice(0, at).replaceAll(/\s/g, "").length;
  let offset = 0;
  let isFilledIn = false;
  for (let index = 0; index < marked.length;) {
    MARK.lastIndex = index;
    const [mark, place, filled] = MARK.exec(marked) ?? [];
    if (mark !== undefined) {
      offset = Number(place);
      isFilledIn = filled === "f";
      index += mark.length;
      continue;
    }
    if (/\S/.test(marked.charAt(index)) && left-- === 0) return offset;
    if (!isFilledIn) offset++;
    index++;
  }
  return offset;
}

/** The place in a model's file of an offset in the query of one of its own audits. YAML may have indented or folded the query. */
export function placeInOwnAudit(
  text: string,
  audit: { index: number; name: string; select: string },
  offset: number,
): Place {
  const start = placeInHeader(text, ["audits", audit.index, audit.name, "select"]);
  const { line, column } = placeAt(audit.select, 0, offset);
  const written = (audit.select.split("\n")[line - 1] ?? "").trimEnd();
  const bare = written.trimStart();
  const lines = text.split("\n");
  const found = lines.findIndex((one, index) => index >= start.line - 1 && one.includes(bare));
  if (found < 0 || bare === "") return start;
  return {
    line: found + 1,
    column: (lines[found] ?? "").indexOf(bare) + column - (written.length - bare.length),
  };
}
