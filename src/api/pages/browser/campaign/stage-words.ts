import { counted, percent } from "../../../../base/words.js";
import type { PriceSummary } from "../../../v1/campaign-schema.js";
import type { Wait } from "./ask-service.js";
import type { PreviewStage, PricingStage } from "./hooks.js";

/** How often somebody who hears the page is told how far it is. */
const ANNOUNCED_SHARE = 0.25;

/** What somebody is told who hears the page. It changes seldom. */
export function announcement(isChosen: boolean, preview: PreviewStage, pricing: PricingStage): string {
  switch (pricing.name) {
    case "waiting":
      return isChosen ? previewAnnouncement(preview) : "";
    case "under way": {
      const share = Math.floor(pricing.progress.share / ANNOUNCED_SHARE) * ANNOUNCED_SHARE;
      return pricing.wait === undefined
        ? `${percent(share)} of the file is priced`
        : WAITS[pricing.wait.reason];
    }
    case "cancelled":
      return "Cancelled";
    case "failed":
      return `${pricing.error.title}. ${pricing.error.detail}`;
    case "priced":
      return `The campaign comes to ${counted(pricing.campaign.summary.total_amount)}`;
  }
}

function previewAnnouncement(preview: PreviewStage): string {
  switch (preview.name) {
    case "asking":
      return "";
    case "answered":
      return summaryInWords(preview.answer.summary);
    case "failed":
      return `${preview.error.title}. ${preview.error.detail}`;
  }
}

/** Why nothing is asked for a while, in words. */
export const WAITS: Readonly<Record<Wait["reason"], string>> = {
  limit: "Your key may not ask more often now.",
  away: "The service does not answer.",
};

/** What some lines come to: `18 with an amount, 2 faulty.` */
export function summaryInWords({ lines, priced, without_amount, faulty }: PriceSummary): string {
  if (lines === 0) return "The file has no lines.";
  const parts = [
    `${counted(priced)} with an amount`,
    ...(without_amount > 0 ? [`${counted(without_amount)} for which there is none`] : []),
    ...(faulty > 0 ? [`${counted(faulty)} faulty`] : []),
  ];
  return `${parts.join(", ")}.`;
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;

/** The size of a file in words: `3 bytes`, `1.4 MB`. */
export function fileSize(bytes: number): string {
  const step = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const unit = UNITS[step] ?? "byte";
  const format = new Intl.NumberFormat("en", {
    style: "unit",
    unit,
    unitDisplay: unit === "byte" ? "long" : "short",
    maximumFractionDigits: 1,
  });
  return format.format(bytes / 1_000 ** step);
}
