import type { SegmentKind } from "../../voucher/segment-kinds.js";

/** The kinds of segment, as people call them. */
export const KIND_NAMES: Readonly<Record<SegmentKind, string>> = {
  frequent_segment: "By number of orders",
  recency_segment: "By days since the last order",
};
