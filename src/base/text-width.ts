import { stripVTControlCharacters } from "node:util";
import { eastAsianWidth } from "get-east-asian-width";

/**
 * How many columns of a terminal a text takes: two for a wide character, none for colours, for what controls and for marks on a letter.
 * The build has libraries use it, too: what they bring needs data about all emoji, which took a tenth of the start of every command.
 */
export default function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return Array.from(stripVTControlCharacters(text))
    .filter((character) => !/[\p{M}\p{Cc}\p{Cf}]/u.test(character))
    .reduce((width, character) => width + eastAsianWidth(character.codePointAt(0) ?? 0), 0);
}
