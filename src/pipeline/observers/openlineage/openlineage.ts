import { traceColumns } from "../../column-lineage.js";
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
    const { activity, executionDate, settings, version } = context;
    const lineage = await traceColumns(version, executionDate, settings.maxRejectedShare);
    for (const [model, reason] of lineage.untraceable)
      activity.warn(`OpenLineage: the columns of ${model} cannot be traced: ${reason}`);
    await sendEvent(settings.openLineage, endEvent(context, end, lineage));
  },
};

function isAsked({
  openLineage: { url, file },
}: Parameters<NonNullable<RunObserver["began"]>>[0]["settings"]): boolean {
  return url !== undefined || file !== undefined;
}
