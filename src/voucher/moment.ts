const MOMENT =
  /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[ T]+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\.(\d{1,9}))? ?(?:Z|([+-]\d{2})(?::?(\d{2}))?)?)?$/;

const MILLISECONDS_PER_MINUTE = 60_000;

/**
 * Reads a moment, to the millisecond: `2022-03-01 00:00:00`, also with `T`, a fraction, `Z` or an offset, or only a
 * day. Without an offset it is in UTC.
 * @returns undefined if the text is not a moment, or if the day or hour does not exist.
 */
export function parseMoment(text: string): Date | undefined {
  const match = MOMENT.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = "0", minute = "0", second = "0", fraction = "0"] = match;
  const [offsetHours = "+00", offsetMinutes = "0"] = match.slice(8);
  const moment = new Date(0);
  moment.setUTCFullYear(Number(year), Number(month) - 1, Number(day));
  // A day that does not exist rolls over into the next month.
  const isDay = moment.getUTCMonth() === Number(month) - 1 && moment.getUTCDate() === Number(day);
  if (!isDay || !isClock(hour, minute, second) || !isClock(offsetHours.slice(1), offsetMinutes))
    return undefined;
  moment.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.slice(0, 3).padEnd(3, "0")),
  );
  const offset = Number(offsetHours.slice(1)) * 60 + Number(offsetMinutes);
  return new Date(
    moment.getTime() - (offsetHours.startsWith("-") ? -offset : offset) * MILLISECONDS_PER_MINUTE,
  );
}

function isClock(hour: string, minute: string, second = "0"): boolean {
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) < 60;
}

const MILLISECONDS_PER_DAY = 86_400_000;

/** Whole calendar days in UTC from the date of one moment to the date of another; negative if the other is earlier. */
export function calendarDays(from: Date, to: Date): number {
  return dayNumber(to) - dayNumber(from);
}

function dayNumber(moment: Date): number {
  return Math.floor(moment.getTime() / MILLISECONDS_PER_DAY);
}
