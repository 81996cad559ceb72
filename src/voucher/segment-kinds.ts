/** The kinds of segment, which are also the names of the columns that hold them. */
export const SEGMENT_KINDS = ["frequent_segment", "recency_segment"] as const;
export type SegmentKind = (typeof SEGMENT_KINDS)[number];
