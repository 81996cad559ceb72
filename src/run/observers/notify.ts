import { systemCodeOf } from "../../base/errors.js";
import { counted } from "../../base/words.js";
import { readNewestPublication } from "../../consumption/read-publications.js";
import { lastEndedRun } from "../../consumption/recorded-runs.js";
import { changeInWords } from "../../record/answers.js";
import { reportOf, type Notice } from "../../record/run-record.js";
import { dateOf, sentencesOf } from "../../record/sentences.js";
import type { RunContext } from "../context.js";
import type { RunObserver, EndedRun } from "./observer.js";
import { addressesOf } from "./run-report.js";

/** Sends failures, recoveries and changed answers to a chat, if the settings name its address. */
export const notify: RunObserver = {
  name: "the notice of the run",
  ended: async (context, end) => {
    const { journal, settings } = context;
    if (settings.notifyUrl === undefined) return;
    const { due, known } = await noticesOf(context, end);
    if (due.length > 0) await post(settings.notifyUrl, messageOf(end, due, addressesOf(context).html));
    journal.note({ notified: [...due, ...known] });
  },
};

const CHANGES_TOLD = 10;

/** A message in the format of Slack, which other chats accept, too. */
interface Message {
  readonly text: string;
  /** The text has no markup. */
  readonly mrkdwn: false;
}

/**
 * The message about a run.
 * @param address the address of its report.
 */
function messageOf(end: EndedRun, notices: readonly Notice[], address: string): Message {
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
      return "Vouchers: answers changed.";
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

/** The three characters that Slack escapes. Otherwise a name from the data could notify everybody in a channel. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** The reasons to send a message about a run, and the reasons that the address already knows. */
interface Notices {
  readonly due: readonly Notice[];
  readonly known: readonly Notice[];
}

const NOTHING: Notices = { due: [], known: [] };

/**
 * Finds the reasons to send a message, from the recorded runs. A failure counts once, however often the date fails in
 * the same way. The first success after a failure counts. So do answers that readers get and that differ from before.
 */
async function noticesOf(context: RunContext, end: EndedRun): Promise<Notices> {
  switch (end.outcome) {
    case "cancelled":
      return NOTHING;
    case "failed":
      return failureNotices(context, end);
    case "succeeded":
      return {
        due: [
          ...((await isRecovery(context)) ? (["recovery"] as const) : []),
          ...((await hasChanged(context, end)) ? (["changes"] as const) : []),
        ],
        known: [],
      };
  }
}

/** If the database did not record the end of the run, it cannot be queried. A repeated message is better than none. */
async function failureNotices(context: RunContext, { fault, isRecorded }: EndedRun): Promise<Notices> {
  const { consumption, executionDate, runId } = context;
  const last = isRecorded
    ? await lastEndedRun(consumption, { otherThan: runId, executionDate: executionDate.partitionKey })
    : undefined;
  const isSame = last?.outcome === "failed" && last.error_code === fault?.code;
  return isSame && reportOf(last)?.notified.includes("failure") === true
    ? { due: [], known: ["failure"] }
    : { due: ["failure"], known: [] };
}

async function isRecovery({ consumption, runId }: RunContext): Promise<boolean> {
  const last = await lastEndedRun(consumption, { otherThan: runId });
  return last !== undefined && last.outcome !== "succeeded";
}

/** There is no message if a run publishes the same data again, or publishes a date that readers do not see. */
async function hasChanged({ consumption, runId }: RunContext, { report }: EndedRun): Promise<boolean> {
  const { answers, published } = report;
  if (published?.isNew !== true || answers === null || answers.changed.count === 0) return false;
  return (await readNewestPublication(consumption))?.runId === runId;
}

const TRIES = 2;
/** The time limit of each try. A finished run waits at most five seconds for a chat. */
const PATIENCE_MILLISECONDS = 2_500;

/**
 * Posts JSON, and tries again if that fails.
 * @param address is a secret: anybody who knows it can post there. No error contains it, nor a part of it.
 * @throws an error with the reason.
 */
async function post(address: string, content: object): Promise<void> {
  let fault = "";
  for (let tried = 0; tried < TRIES; tried++) {
    const reason = await faultOfPost(address, content);
    if (reason === undefined) return;
    fault = reason;
  }
  throw new Error(`the address of --notify or NOTIFY_URL ${fault}; no notification was sent`);
}

/** The reason of a failed post; undefined if it succeeded. */
async function faultOfPost(address: string, content: object): Promise<string | undefined> {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
      // The message goes only to the address of the settings.
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    // An unread body would keep the connection open.
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status.toString()}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Uses only the code of the system: messages of `fetch` can contain the address. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (name === "TimeoutError") return `did not answer for ${(PATIENCE_MILLISECONDS / 1_000).toString()} s`;
  return `is not reachable (${systemCodeOf(cause) ?? "unknown reason"})`;
}
