import type { Settings } from "../../../settings/settings.js";
import { traceColumns, type VersionLineage } from "../../column-lineage.js";
import type { RunContext } from "../../context.js";
import type { RunObserver } from "../observer.js";
import { endEvent, startEvent } from "./event.js";
import { sendEvent } from "./send.js";

/** Tells OpenLineage of every run, where the settings say whom to tell. */
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
    activity.warn(`OpenLineage: the columns of ${model} cannot be traced: ${reason}`);
  return lineage;
}

function isAsked({ openLineage: { url, file } }: Settings): boolean {
  return url !== undefined || file !== undefined;
}
