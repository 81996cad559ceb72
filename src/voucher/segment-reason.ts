import { calendarDays } from "./calendar-days.js";
import type { Customer } from "./customer.js";
import { boundsOf, segmentOf, type Segments } from "./segments.js";

/** Why a customer is in a segment. */
export interface Reason {
  /** What the segment goes by: `total_orders` or `days_since_last_order`. */
  readonly measure: string;
  readonly measured: number;
  /** In words: `total_orders is 15: above 13, up to 37`. */
  readonly text: string;
}

/** Says why a customer is in its segment, with recency counted to `asOf`. */
export function reasonOf(segments: Segments, customer: Customer, asOf: Date): Reason {
  const kind = customer.segment_name;
  const { measure } = segments[kind];
  const measured =
    kind === "frequent_segment" ? customer.total_orders : calendarDays(customer.last_order_ts, asOf);
  const bounds = boundsOf(segments, kind, segmentOf(segments, kind, measured));
  return { measure, measured, text: `${measure} is ${measured.toString()}: ${bounds}` };
}
