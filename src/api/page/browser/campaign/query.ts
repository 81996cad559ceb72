import type { SegmentKind } from "../../../../voucher/segment-kinds.js";

/** How a file is to be answered, as it is filled in. */
export interface Options {
  /** Of the lines that name none; empty where each line has to. */
  readonly segmentName: SegmentKind | "";
  readonly asOf: string;
  readonly fallsBack: boolean;
  readonly minAssignments: string;
}

/** What the service is asked. Every piece is asked for the same publication and day, however long a file takes. */
export function queryOf(options: Options, executionDate: string, today: string): URLSearchParams {
  const query = new URLSearchParams({
    execution_date: executionDate,
    as_of: options.asOf === "" ? today : options.asOf,
    fallback: options.fallsBack ? "country" : "none",
  });
  if (options.segmentName !== "") query.set("segment_name", options.segmentName);
  if (options.minAssignments !== "") query.set("min_assignments", options.minAssignments);
  return query;
}
