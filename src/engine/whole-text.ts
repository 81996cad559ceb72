/** Stands before a text while it goes from the engine to this process. */
const GUARD = "=";

/**
 * The SQL of a text that must come whole: the engine's client takes a byte order mark at the beginning of a text for no
 * part of it, and two texts would become one. What comes is for `wholeText`.
 * @param expression of a text in SQL.
 */
export function guarded(expression: string): string {
  return `'${GUARD}' || ${expression}`;
}

/** The text that was guarded on its way. */
export function wholeText(guardedText: string): string {
  return guardedText.slice(GUARD.length);
}
