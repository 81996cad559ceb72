import { counted } from "../../../base/words.js";
import { changeInWords } from "../../../record/changed-answers.js";
import type { Notice } from "../../../record/run-record.js";
import { dateOf, sentencesOf } from "../../../record/sentences.js";
import type { EndedRun } from "../observer.js";

const CHANGES_TOLD = 10;

/** A message as Slack takes it, and those that took their format from there. */
export interface Message {
  readonly text: string;
  /** What stands in the text is no markup. */
  readonly mrkdwn: false;
}

/**
 * What somebody is told of a run.
 * @param address where its report is.
 */
export function messageOf(end: EndedRun, notices: readonly Notice[], address: string): Message {
  const lines = [
    notices.map((notice) => headingOf(notice, end)).join(" "),
    ...sentencesOf(end),
    ...(notices.includes("changes") ? changesOf(end) : []),
    `Run ${end.report.run_id}, report: ${address}`,
  ];
  return { text: lines.map(escaped).join("\n"), mrkdwn: false };
}

function headingOf(notice: Notice, { fault, report }: EndedRun): string {
  switch (notice) {
    case "failure":
      return `Vouchers: the run for ${dateOf(report.execution_date)} failed (${fault?.code ?? "BUG"}).`;
    case "recovery":
      return "Vouchers: runs succeed again.";
    case "changes":
      return "Vouchers: answers have changed.";
  }
}

function changesOf({ report: { answers } }: EndedRun): string[] {
  const { count = 0, changes = [] } = answers?.changed ?? {};
  const told = changes.slice(0, CHANGES_TOLD);
  const more = count - told.length;
  return [
    ...told.map((change) => `• ${changeInWords(change)}`),
    ...(more > 0 ? [`• and ${counted(more)} more`] : []),
  ];
}

/** Slack's own three: without this, a name that came with the data could call everybody of a channel. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
