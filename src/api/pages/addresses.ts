import { shortIso } from "../../voucher/execution-date.js";
import type { Publication } from "../../voucher/publication-identity.js";
import type { Place } from "../../voucher/published-answers.js";

/** The addresses of the pages. */
export const PAGES = {
  answers: "/",
  answersCsv: "/answers.csv",
  answer: "/answer",
  changes: "/changes",
  customer: "/customer",
  campaign: "/campaign",
  health: "/health",
  runs: "/health/runs",
  dictionary: "/docs/data",
} as const;

/** A path with the parameters that have a value. */
export function addressOf(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given).toString()}`;
}

/** The path of an address that has no host. */
export function pathOf(address: string): string {
  return address.split("?", 1)[0] ?? address;
}

/** The parameters of an address that has no host. */
export function parametersOf(address: string): Record<string, string> {
  return Object.fromEntries(new URLSearchParams(address.slice(pathOf(address).length)));
}

/** The address of the page of one answer of a publication. */
export function answerAddress({ countryCode, kind, segment }: Place, { executionDate }: Publication): string {
  return addressOf(PAGES.answer, {
    country_code: countryCode,
    segment_name: kind,
    segment,
    execution_date: shortIso(executionDate),
  });
}

/** The address of the report of a run. */
export function runAddress(runId: string): string {
  return `${PAGES.runs}/${encodeURIComponent(runId)}`;
}
