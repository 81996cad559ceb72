import { appendFile } from "node:fs/promises";
import path from "node:path";
import { messageOf } from "../../../base/errors.js";
import { makeFolder } from "../../../base/files.js";
import type { Settings, OpenLineageSettings } from "../../../settings/settings.js";
import { traceColumns, type VersionLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import type { RunObserver } from "../observer.js";
import { endEvent, startEvent, type RunEvent } from "./event.js";

/** Sends every run to OpenLineage, if the settings name a destination. */
export const openLineage: RunObserver = {
  name: "OpenLineage",
  began: async (context, startedAt) => {
    if (!isAsked(context.settings)) return;
    await sendEvent(context.settings.openLineage, startEvent(context, startedAt));
  },
  ended: async (context, end) => {
    if (!isAsked(context.settings)) return;
    const lineage = end.outcome === "succeeded" ? await lineageOf(context) : undefined;
    await sendEvent(context.settings.openLineage, endEvent(context, end, lineage));
  },
};

async function lineageOf({
  activity,
  executionDate,
  settings,
  version,
}: RunContext): Promise<VersionLineage> {
  const lineage = await traceColumns(version, executionDate, settings.maxRejectedShare);
  for (const [model, reason] of lineage.untraceable)
    activity.warn(`OpenLineage: cannot trace the columns of ${model}: ${reason}`);
  return lineage;
}

function isAsked({ openLineage: { url, file } }: Settings): boolean {
  return url !== undefined || file !== undefined;
}

/** A run waits at most this long for OpenLineage. */
const PATIENCE_MILLISECONDS = 5_000;

/**
 * Sends an event to the service and to the file of the settings.
 * @throws an error with the reason, without keys.
 */
export async function sendEvent({ url, apiKey, file }: OpenLineageSettings, event: RunEvent): Promise<void> {
  const text = JSON.stringify(event);
  await Promise.all([
    ...(file === undefined ? [] : [append(file, `${text}\n`)]),
    ...(url === undefined ? [] : [post(`${url}/api/v1/lineage`, apiKey, text)]),
  ]);
}

async function append(file: string, line: string): Promise<void> {
  await makeFolder(path.dirname(file));
  await appendFile(file, line);
}

async function post(address: string, apiKey: string | undefined, body: string): Promise<void> {
  const headers = {
    "Content-Type": "application/json",
    ...(apiKey === undefined ? {} : { Authorization: `Bearer ${apiKey}` }),
  };
  const signal = AbortSignal.timeout(PATIENCE_MILLISECONDS);
  const answer = await fetch(address, { method: "POST", headers, body, signal }).catch((error: unknown) => {
    throw new Error(`${address} is not reachable: ${reasonOf(error)}`, { cause: error });
  });
  // An unread body would keep the connection open.
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`${address} answered ${answer.status.toString()}`);
}

/** `fetch` hides the reason in the cause. */
function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  return messageOf(cause ?? error);
}
