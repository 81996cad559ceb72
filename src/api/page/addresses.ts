import type { Place } from "../../voucher/answers.js";
import { shortIso } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication.js";

/** The addresses of the pages. */
export const PAGES = {
  answers: "/",
  answer: "/answer",
  changes: "/changes",
  customer: "/customer",
  campaign: "/campaign",
  health: "/health",
  dictionary: "/docs/data",
} as const;

/** The address of the page of one answer, as a publication has it. */
export function answerAddress({ countryCode, kind, segment }: Place, { executionDate }: Publication): string {
  const query = new URLSearchParams({
    country_code: countryCode,
    segment_name: kind,
    segment,
    execution_date: shortIso(executionDate),
  });
  return `${PAGES.answer}?${query.toString()}`;
}
