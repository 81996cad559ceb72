import { calendarDays } from "./moment.js";
import { boundsOf, segmentOf, type SegmentKind, type Segments } from "./segment-rules.js";

/** The facts about a customer that decide the voucher. */
export interface Customer {
  readonly country_code: string;
  readonly total_orders: number;
  /** The time of the last order. */
  readonly last_order_ts: Date;
  /** The kind of segment that decides. */
  readonly segment_name: SegmentKind;
}

/** The customer's segment of the requested kind, with recency counted to `asOf`. */
export function segmentOfCustomer(segments: Segments, customer: Customer, asOf: Date): string {
  return segmentOf(segments, customer.segment_name, measuredOf(customer, asOf));
}

/** The reason why a customer is in a segment. */
interface Reason {
  /** The measure that defines the segment: `total_orders` or `days_since_last_order`. */
  readonly measure: string;
  readonly measured: number;
  /** In words: `total_orders is 15: above 13, up to 37`. */
  readonly text: string;
}

/** The reason for a customer's segment, with recency counted to `asOf`. */
export function reasonOf(segments: Segments, customer: Customer, asOf: Date): Reason {
  const kind = customer.segment_name;
  const { measure } = segments[kind];
  const measured = measuredOf(customer, asOf);
  const bounds = boundsOf(segments, kind, segmentOf(segments, kind, measured));
  return { measure, measured, text: `${measure} is ${measured.toString()}: ${bounds}` };
}

function measuredOf({ segment_name: kind, total_orders, last_order_ts }: Customer, asOf: Date): number {
  return kind === "frequent_segment" ? total_orders : calendarDays(last_order_ts, asOf);
}
