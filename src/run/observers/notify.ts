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

/** Tells a chat of failures, of recoveries and of answers that have changed, where the settings name its address. */
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

/** A message as Slack takes it, and those that took their format from there. */
interface Message {
  readonly text: string;
  /** The text has no markup. */
  readonly mrkdwn: false;
}

/**
 * What somebody is told of a run.
 * @param address where its report is.
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

/** Slack's own three: without this, a name that came with the data could call everybody of a channel. */
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** What somebody is to be told of a run, and what is known there already. */
interface Notices {
  readonly due: readonly Notice[];
  readonly known: readonly Notice[];
}

const NOTHING: Notices = { due: [], known: [] };

/**
 * Finds from the recorded runs what a run is to be told for: a failure once, however often the date fails in the same way; the
 * first success after a failure; answers that readers get and that are others than before.
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

/** A database that has not taken the end of a run cannot be asked; a fault that is told twice is better than one that is not. */
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

/** A run that publishes what is published already has nothing to tell, and neither has one of a date that no reader looks at. */
async function hasChanged({ consumption, runId }: RunContext, { report }: EndedRun): Promise<boolean> {
  const { answers, published } = report;
  if (published?.isNew !== true || answers === null || answers.changed.count === 0) return false;
  return (await readNewestPublication(consumption))?.runId === runId;
}

const TRIES = 2;
/** Of each try: a run that is over does not wait for longer than five seconds for who only wants to know. */
const PATIENCE_MILLISECONDS = 2_500;

/**
 * Posts JSON, and again where that fails.
 * @param address is a secret: whoever knows it can post there. No error has it, nor a part of it.
 * @throws an error that says what went wrong.
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

/** What went wrong; undefined if it was taken. */
async function faultOfPost(address: string, content: object): Promise<string | undefined> {
  try {
    const answer = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(content),
      // It goes to no other address than the one that was named.
      redirect: "manual",
      signal: AbortSignal.timeout(PATIENCE_MILLISECONDS),
    });
    // A body that nobody reads would keep the connection.
    await answer.body?.cancel();
    return answer.ok ? undefined : `answered ${answer.status.toString()}`;
  } catch (error) {
    return reasonOf(error);
  }
}

/** By the system's code alone: messages of `fetch` can have the address in them. */
function reasonOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: unknown };
  if (name === "TimeoutError") return `did not answer for ${(PATIENCE_MILLISECONDS / 1_000).toString()} s`;
  return `is not reachable (${systemCodeOf(cause) ?? "unknown reason"})`;
}
