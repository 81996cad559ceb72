/**
 * A token of SQL: a comment, a blank, a quoted text or name, a word, or one character. An open quote stays a single
 * character.
 */
const PIECE =
  /--[^\n\r]*|\s+|[eE]'(?:\\[\s\S]|''|[^\\'])*'|'(?:''|[^'])*'|"(?:""|[^"])*"|\$([\p{L}_][\p{L}\d_]*)?\$[\s\S]*?\$\1\$|[\p{L}_][\p{L}\d_$]*|[\s\S]/uy;

/** Whether a text of SQL is complete: every quote and comment is closed, and its last statement ends with `;`. */
export function endsStatement(sql: string): boolean {
  const { isClosed, pieces } = scan(sql);
  return isClosed && pieces.at(-1) === ";";
}

/** Whether a text of SQL is empty: only blanks, comments and `;`. */
export function saysNothing(sql: string): boolean {
  return scan(sql).pieces.every((piece) => piece === ";");
}

/** The statements of a text of SQL, each as a list of words, signs and quoted texts, without blanks and comments. */
export function statementsOf(sql: string): string[][] {
  const statements: string[][] = [[]];
  for (const piece of scan(sql).pieces) {
    if (piece === ";") statements.push([]);
    else statements.at(-1)?.push(piece);
  }
  return statements.filter((pieces) => pieces.length > 0);
}

/** The names of the functions that a text of SQL calls, in lower case, and of all other words before a parenthesis. */
export function callsOf(sql: string): string[] {
  const { pieces } = scan(sql);
  return pieces
    .filter((_piece, index) => pieces[index + 1] === "(")
    .map((piece) => piece.replace(/^"(.*)"$/s, "$1").toLowerCase());
}

/** The statements of a text of SQL in their original form, each with the comments before it. */
export function statementTexts(sql: string): string[] {
  const ends = [...scan(sql).ends, sql.length];
  const texts = ends.map((end, index) => sql.slice(index === 0 ? 0 : (ends[index - 1] ?? 0) + 1, end).trim());
  return texts.filter((text) => !saysNothing(text));
}

interface Scanned {
  readonly isClosed: boolean;
  /** All tokens except blanks and comments. */
  readonly pieces: readonly string[];
  /** The position of each `;`. */
  readonly ends: readonly number[];
}

function scan(sql: string): Scanned {
  const pieces: string[] = [];
  const ends: number[] = [];
  for (let at = 0; at < sql.length;) {
    if (sql.startsWith("/*", at)) {
      const end = endOfComment(sql, at);
      if (end === undefined) return { isClosed: false, pieces, ends };
      at = end;
      continue;
    }
    PIECE.lastIndex = at;
    const piece = PIECE.exec(sql)?.[0] ?? "";
    if (!/^\s|^--/.test(piece)) pieces.push(piece);
    if (piece === ";") ends.push(at);
    if (opensQuote(piece, sql, at)) return { isClosed: false, pieces, ends };
    at += piece.length;
  }
  return { isClosed: true, pieces, ends };
}

/** Whether a token begins a quoted text or name without an end. */
function opensQuote(piece: string, sql: string, at: number): boolean {
  if (piece === "'" || piece === '"') return true;
  if (piece === "$") return DOLLAR_QUOTE.test(sql.slice(at));
  return /^e$/i.test(piece) && sql[at + 1] === "'";
}

const DOLLAR_QUOTE = /^\$([\p{L}_][\p{L}\d_]*)?\$/u;

/** The end of a comment that begins at a position; undefined if it does not end. Comments can contain comments. */
function endOfComment(sql: string, start: number): number | undefined {
  let depth = 0;
  for (const { 0: mark, index } of sql.slice(start).matchAll(/\/\*|\*\//g)) {
    depth += mark === "/*" ? 1 : -1;
    if (depth === 0) return start + index + mark.length;
  }
  return undefined;
}
