import type { ComponentChildren, VNode } from "preact";
import { counting, dayInWords } from "../../base/words.js";
import { calendarDays } from "../../voucher/calendar-days.js";
import type { ExecutionDate } from "../../voucher/execution-date.js";
import { dateInWords, shortIso } from "../../voucher/execution-date.js";

const HOURS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** How long ago a moment was: `in this minute`, `5 minutes ago`, `3 hours ago`, `2 days ago`. */
export function ago(moment: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - moment.getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${counting(minutes, "minute")} ago`;
  if (minutes < 48 * 60) return `${counting(Math.floor(minutes / 60), "hour")} ago`;
  return `${counting(Math.floor(minutes / 1_440), "day")} ago`;
}

/** How old the data of an execution date is, in calendar days: `of today`, `2 days old`. */
export function ageInWords({ iso }: ExecutionDate, now: Date): string {
  const days = calendarDays(new Date(iso), now);
  if (days === 0) return "of today";
  return days > 0 ? `${counting(days, "day")} old` : `${counting(-days, "day")} ahead of today`;
}

/** An execution date in words and as machines write it. */
export function DateOf({ date }: { readonly date: ExecutionDate }): VNode {
  return (
    <time dateTime={date.iso}>
      {dateInWords(date)} <span class="iso">({shortIso(date)})</span>
    </time>
  );
}

/** A moment in words and as machines write it, in UTC. */
export function MomentOf({ moment }: { readonly moment: Date }): VNode {
  const iso = `${moment.toISOString().slice(0, 19)}Z`;
  return (
    <time dateTime={iso}>
      {dayInWords(moment)}, {HOURS.format(moment)} UTC <span class="iso">({iso})</span>
    </time>
  );
}

/** A name that came with the data: it may run in either direction, and must not turn the words around it. */
export function Name({ children }: { readonly children: ComponentChildren }): VNode {
  return <bdi>{children}</bdi>;
}
