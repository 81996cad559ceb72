// By hand: Node's own functions load the words of a language, which takes a thirtieth of a short run.
const MONTHS = "January February March April May June July August September October November December".split(
  " ",
);

/** A number with separators: `17,890`. */
export function counted(number: number): string {
  return number.toString().replace(/\B(?<!\.\d*)(?=(\d{3})+(?!\d))/g, ",");
}

/** A number of things: `1 answer`, `2,640 answers`. */
export function counting(number: number, thing: string, things = `${thing}s`): string {
  return `${counted(number)} ${number === 1 ? thing : things}`;
}

/** A share from 0 to 1: `34.6%`. */
export function percent(share: number): string {
  return `${(Math.round(share * 1_000) / 10).toString()}%`;
}

/** The day of a moment in words, in UTC: `29 May 2020`. */
export function dayInWords(moment: Date): string {
  return `${moment.getUTCDate().toString()} ${MONTHS[moment.getUTCMonth()] ?? ""} ${moment.getUTCFullYear().toString()}`;
}

/**
 * The day of the words from {@link dayInWords}, for example `2020-05-29`; undefined for other words. The day may not
 * exist.
 */
export function dayOfWords(words: string): string | undefined {
  const [, day, name = "", year] = /^(\d{1,2}) ([A-Z][a-z]{2,8}) (\d{4})$/.exec(words) ?? [];
  const month = MONTHS.indexOf(name) + 1;
  if (day === undefined || year === undefined || month === 0) return undefined;
  return `${year}-${month.toString().padStart(2, "0")}-${day.padStart(2, "0")}`;
}

/** A text on one line, with control characters escaped: raw data must not control the reader's terminal. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, (control) => {
    const escaped = JSON.stringify(control).slice(1, -1);
    // JSON does not escape the upper half of the control characters.
    return escaped === control ? `\\u${control.charCodeAt(0).toString(16).padStart(4, "0")}` : escaped;
  });
}

/** Orders texts by their code points, as the databases and DuckDB do. */
export function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let index = 0; index < length; index += 1) {
    const [unit, other] = [a.charCodeAt(index), b.charCodeAt(index)];
    if (unit !== other) return rankOf(unit) - rankOf(other);
  }
  return a.length - b.length;
}

/** Surrogates encode the highest code points, but UTF-16 has them before U+E000. */
function rankOf(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? text;
}
