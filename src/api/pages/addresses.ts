import type { Request } from "express";
import { shortIso } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication-identity.js";
import type { Place } from "../../voucher/published-answers.js";

/** The addresses of the pages. */
export const PAGES = {
  answers: "/",
  answer: "/answer",
  changes: "/changes",
  customer: "/customer",
  campaign: "/campaign",
  health: "/health",
  runs: "/health/runs",
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

/** The address of the report of a run. */
export function runAddress(runId: string): string {
  return `${PAGES.runs}/${encodeURIComponent(runId)}`;
}

/** A host as an address has it. A browser sends nothing else; who makes one up gets the usual one. */
const HOST = /^[a-z0-9.-]+(:\d+)?$|^\[[0-9a-f:.]+\](:\d+)?$/i;

/** What the addresses of the service begin with, as whoever asks has written it. */
export function originOf(request: Request): string {
  const host = request.get("host") ?? "";
  return `${request.protocol}://${HOST.test(host) ? host : "127.0.0.1:8000"}`;
}
