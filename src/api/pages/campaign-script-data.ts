import type { SegmentKind } from "../../voucher/segment-kinds.js";

/** What the page of campaigns gives its script. */
export interface CampaignScriptData {
  /** Of the publication that answers. */
  readonly executionDate: string;
  /** The day that recency counts to unless another one is filled in: a file may take longer than the day lasts. */
  readonly today: string;
  /** The names of the segments, in their order. */
  readonly segments: Readonly<Record<SegmentKind, readonly string[]>>;
}

/** The id of the element that the script fills. Its attribute `data-given` has the data. */
export const CAMPAIGN_ELEMENT = "campaign";
