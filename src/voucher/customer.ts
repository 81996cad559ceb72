import { calendarDays } from "./calendar-days.js";
import { segmentOf, type SegmentKind, type Segments } from "./segments.js";

/** What the system needs to know of a customer to choose a voucher. */
export interface Customer {
  readonly country_code: string;
  readonly total_orders: number;
  /** The moment of the last order. */
  readonly last_order_ts: Date;
  /** Which of the two kinds of segment to answer by. */
  readonly segment_name: SegmentKind;
}

/** The customer's segment of the kind that is asked for, with recency counted to `asOf`. */
export function segmentOfCustomer(segments: Segments, customer: Customer, asOf: Date): string {
  const measured =
    customer.segment_name === "frequent_segment"
      ? customer.total_orders
      : calendarDays(customer.last_order_ts, asOf);
  return segmentOf(segments, customer.segment_name, measured);
}
