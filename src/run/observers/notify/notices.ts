import { readNewestPublication } from "../../../consumption/publications.js";
import { lastEndedRun } from "../../../consumption/runs.js";
import { reportOf, type Notice } from "../../../record/run-record.js";
import type { RunContext } from "../../context.js";
import type { EndedRun } from "../observer.js";

/** What somebody is to be told of a run, and what is known there already. */
export interface Notices {
  readonly due: readonly Notice[];
  readonly known: readonly Notice[];
}

const NOTHING: Notices = { due: [], known: [] };

/**
 * Finds from the recorded runs what a run is to be told for: a failure once, however often the date fails in the same way; the
 * first success after a failure; answers that readers get and that are others than before.
 */
export async function noticesOf(context: RunContext, end: EndedRun): Promise<Notices> {
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
