/** Orders texts by their code points, as the databases and DuckDB do. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unit, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unit !== other) return rankOf(unit) - rankOf(other);
  }
  return a.length - b.length;
}

/** Surrogates stand for the highest code points, and UTF-16 has them before U+E000. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
