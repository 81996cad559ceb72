const MOMENT =
  /^(\d{4}-\d{1,2}-\d{1,2})(?:[ T]+(\d{1,2}:\d{1,2}(?::\d{1,2})?)(?:\.(\d{1,9}))? ?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * Reads a moment, to the millisecond: `2022-03-01 00:00:00`, also with `T`, a fraction, `Z` or an offset, or a day alone.
 * Without an offset it is in UTC.
 * @returns undefined where the text says no moment, or a day or hour that does not exist.
 */
export function parseMoment(text: string): Date | undefined {
  const match = MOMENT.exec(text);
  if (match === null) return undefined;
  const [, day = "", clock = "00:00:00", fraction = "0", offset = "Z"] = match;
  const [year, month, date] = day.split("-").map((digits) => digits.padStart(2, "0"));
  const [hour, minute, second = "00"] = clock.split(":").map((digits) => digits.padStart(2, "0"));
  const local = `${year}-${month}-${date}T${hour}:${minute}:${second}.${fraction.slice(0, 3).padEnd(3, "0")}`;
  const inUtc = new Date(`${local}Z`);
  // A day that does not exist would roll over into the next month.
  if (Number.isNaN(inUtc.getTime()) || inUtc.toISOString() !== `${local}Z`) return undefined;
  const moment = new Date(
    local +
      offset.replace(/^([+-]\d{2}):?(\d{2})?$/, (_, hours: string, minutes = "00") => `${hours}:${minutes}`),
  );
  return Number.isNaN(moment.getTime()) ? undefined : moment;
}
