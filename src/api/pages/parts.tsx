import type { ComponentChildren, VNode } from "preact";
import type { FieldError } from "../../base/field-errors.js";
import { counting, dayInWords } from "../../base/words.js";
import { dateInWords, type ExecutionDate } from "../../voucher/execution-date.js";
import { calendarDays } from "../../voucher/moment.js";
import type { SegmentKind } from "../../voucher/segment-kinds.js";

const HOURS = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** The time since a moment: `just now`, `5 minutes ago`, `3 hours ago`, `2 days ago`. */
export function ago(moment: Date, now: Date): string {
  const minutes = Math.floor((now.getTime() - moment.getTime()) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 60) return `${counting(minutes, "minute")} ago`;
  if (minutes < 48 * 60) return `${counting(Math.floor(minutes / 60), "hour")} ago`;
  return `${counting(Math.floor(minutes / 1_440), "day")} ago`;
}

/** The age of an execution date, in calendar days: `today`, `2 days old`. */
export function ageInWords({ iso }: ExecutionDate, now: Date): string {
  const days = calendarDays(new Date(iso), now);
  if (days === 0) return "today";
  return days > 0 ? `${counting(days, "day")} old` : `${counting(-days, "day")} ahead of today`;
}

/** An execution date in words for people, and in ISO for machines. */
export function DateOf({ date }: { readonly date: ExecutionDate }): VNode {
  return <time dateTime={date.iso}>{dateInWords(date)}</time>;
}

/** A moment in words for people, and in ISO for machines; in UTC. */
export function MomentOf({ moment }: { readonly moment: Date }): VNode {
  return (
    <time dateTime={`${moment.toISOString().slice(0, 19)}Z`}>
      {dayInWords(moment)}, {HOURS.format(moment)} UTC
    </time>
  );
}

/** A name from the data: it may run in either direction, and must not turn the words around it. */
export function Name({ children }: { readonly children: ComponentChildren }): VNode {
  return <bdi>{children}</bdi>;
}

/**
 * @param kind `bad` for a fault that needs a person, `warn` for one that may pass.
 * @param isAlert whether it responds to an action of the user.
 */
export function Notice({
  kind,
  isAlert = false,
  children,
}: {
  readonly kind: "bad" | "warn";
  readonly isAlert?: boolean;
  readonly children: ComponentChildren;
}): VNode {
  return (
    <p class={`notice ${kind}`} role={isAlert ? "alert" : "status"}>
      <span class="sign" aria-hidden="true">
        {kind === "bad" ? "✕" : "!"}
      </span>
      <span>{children}</span>
    </p>
  );
}

/** The faults of the fields of a request or file. */
export function FieldErrors({ errors }: { readonly errors: readonly FieldError[] }): VNode | null {
  if (errors.length === 0) return null;
  return (
    <ul>
      {errors.map(({ field, message }) => (
        <li key={field}>
          <code>{field}</code> {message}
        </li>
      ))}
    </ul>
  );
}

interface ScrollingProps {
  /** Its label, or the id of its heading. */
  readonly name: { readonly label: string } | { readonly heading: string };
  /** Whether it also scrolls up and down. */
  readonly isTall?: boolean;
  readonly children: ComponentChildren;
}

/** A frame for a table that is wider than the window: it scrolls separately, also by keyboard. */
export function Scrolling({ name, isTall = false, children }: ScrollingProps): VNode {
  const named = "label" in name ? { "aria-label": name.label } : { "aria-labelledby": name.heading };
  return (
    <div class={isTall ? "scrolling tall" : "scrolling"} role="region" tabIndex={0} {...named}>
      {children}
    </div>
  );
}

/** The kinds of segment, in words for people. */
export const KIND_NAMES: Readonly<Record<SegmentKind, string>> = {
  frequent_segment: "By number of orders",
  recency_segment: "By days since the last order",
};
