import { counted } from "../../../../base/words.js";
import type { PriceSummary } from "../../../v1/campaign-schema.js";

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
