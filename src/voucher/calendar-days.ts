const MILLISECONDS_PER_DAY = 86_400_000;

/** Whole calendar days in UTC from the date of one moment to the date of another; negative where the other is earlier. */
export function calendarDays(from: Date, to: Date): number {
  return dayNumber(to) - dayNumber(from);
}

function dayNumber(moment: Date): number {
  return Math.floor(moment.getTime() / MILLISECONDS_PER_DAY);
}
