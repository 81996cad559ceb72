const NUMBERS = new Intl.NumberFormat("en");
const SHARES = new Intl.NumberFormat("en", { style: "percent", maximumFractionDigits: 1 });
const DAYS = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "long",
  year: "numeric",
  timeZone: "UTC",
});

/** A number with separators: `17,890`. */
export function counted(number: number): string {
  return NUMBERS.format(number);
}

/** A number of things: `1 answer`, `2,640 answers`. */
export function counting(number: number, thing: string, things = `${thing}s`): string {
  return `${counted(number)} ${number === 1 ? thing : things}`;
}

/** A share from 0 to 1: `34.6%`. */
export function percent(share: number): string {
  return SHARES.format(share);
}

/** The day of a moment in words, in UTC: `29 May 2020`. */
export function dayInWords(moment: Date): string {
  return DAYS.format(moment);
}
