import { stripVTControlCharacters } from "node:util";
import { eastAsianWidth } from "get-east-asian-width";

/**
 * The number of terminal columns of a text: two for a wide character, none for colours, for control characters and
 * for marks on a letter. The build makes libraries use it, too: their own code needs data about all emoji, which took
 * a tenth of the start of every command.
 */
export default function textWidth(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  return Array.from(stripVTControlCharacters(text))
    .filter((character) => !/[\p{M}\p{Cc}\p{Cf}]/u.test(character))
    .reduce((width, character) => width + eastAsianWidth(character.codePointAt(0) ?? 0), 0);
}
