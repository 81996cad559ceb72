import { counted, percent } from "../../../../base/words.js";
import { summaryInWords } from "./summary-in-words.js";
import type { PreviewStage } from "./use-preview.js";
import type { PricingStage } from "./use-pricing.js";
import { WAITS } from "./waits.js";

/** How often somebody who hears the page is told how far it is. */
const TOLD_SHARE = 0.25;

/** What somebody is told who hears the page. It changes seldom. */
export function told(isChosen: boolean, preview: PreviewStage, pricing: PricingStage): string {
  switch (pricing.name) {
    case "waiting":
      return isChosen ? toldOfPreview(preview) : "";
    case "under way": {
      const share = Math.floor(pricing.progress.share / TOLD_SHARE) * TOLD_SHARE;
      return pricing.wait === undefined
        ? `${percent(share)} of the file is priced`
        : WAITS[pricing.wait.reason];
    }
    case "cancelled":
      return "Cancelled";
    case "failed":
      return `${pricing.trouble.title}. ${pricing.trouble.detail}`;
    case "priced":
      return `The campaign comes to ${counted(pricing.campaign.summary.total_amount)}`;
  }
}

function toldOfPreview(preview: PreviewStage): string {
  switch (preview.name) {
    case "asking":
      return "";
    case "answered":
      return summaryInWords(preview.answer.summary);
    case "failed":
      return `${preview.trouble.title}. ${preview.trouble.detail}`;
  }
}
