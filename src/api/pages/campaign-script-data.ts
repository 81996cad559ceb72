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

/** The element that the script fills, and that has what it is given. */
export const CAMPAIGN_ELEMENT = "campaign";
