import { allEnded } from "../base/concurrency.js";
import { messageOf, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { isWritten } from "../models/model.js";
import { KEPT, STAGING } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/**
 * Makes sure that a run can put its partitions in their places, and removes what a run of the same date that has died has left in
 * staging.
 */
export async function clearStaging(context: RunContext): Promise<void> {
  const { activity, executionDate, zones } = context;
  failpoint("start recorded");
  await assertReplaceable(context);
  const warn = (message: string) => {
    activity.warn(message);
  };
  // What a server cannot do is told once, although it is asked again at the end.
  await allEnded(
    [zones.curated, zones.provision].map((zone) => zone.sweep(STAGING, runsOf(executionDate), warn)),
  );
  failpoint("old staging swept");
}

/** Removes what runs of the date that failed have kept for inspection: one has succeeded now. */
export async function sweepKept(context: RunContext): Promise<void> {
  failpoint("run ended");
  await sweepAtEnd(context, KEPT, runsOf(context.executionDate));
}

/** Removes what the run itself has left in staging. */
export async function sweepOwn(context: RunContext): Promise<void> {
  await sweepAtEnd(context, STAGING, context.runId);
  failpoint("own staging swept");
}

/**
 * Keeps what a run that fails has staged for inspection; the next run of the date that succeeds removes it.
 * @returns the fault of the run, whose message tells where the files are now.
 */
export async function keepStaged(context: RunContext, fault: unknown): Promise<unknown> {
  const { activity, runId, zones } = context;
  const places: string[] = [];
  for (const zone of [zones.curated, zones.provision]) {
    try {
      places.push(...(await zone.keepStaged(runId)));
    } catch (error) {
      activity.warn(`cannot keep the staged files in ${zone.root}: ${messageOf(error)}`);
    }
  }
  if (places.length === 0 || !(fault instanceof PipelineError)) return fault;
  const list = places.map((place) => `\n  ${place}`).join("");
  return new PipelineError(fault.code, `${fault.message}\nstaged files are kept:${list}`, {
    cause: fault.cause,
    details: fault.details,
  });
}

/**
 * Checks that a run can put its partitions in their places, before it makes any.
 * @throws PipelineError ZONE_NOT_USABLE if a folder of a zone is a link to, or a mount of, another file system.
 */
export async function assertReplaceable({
  executionDate,
  stages,
  version,
  zones,
}: Pick<RunContext, "executionDate" | "stages" | "version" | "zones">): Promise<void> {
  const { partitionKey } = executionDate;
  for (const { layer, table } of version.models.filter(isWritten)) {
    const stage = layer === "curated" ? "curate" : "aggregate";
    if (stages.includes(stage)) await zones[layer].assertReplaceable(table, partitionKey);
  }
}

/** How the run has ended is decided. What cannot be swept now is swept by the next run of the date. */
async function sweepAtEnd(
  { activity, zones }: RunContext,
  folder: typeof STAGING | typeof KEPT,
  runs: string,
): Promise<void> {
  const sweeping = [zones.curated, zones.provision].map(async (zone) => {
    try {
      await zone.sweep(folder, runs);
    } catch (error) {
      activity.warn(`cannot clean ${zone.root}/${folder}: ${messageOf(error)}`);
    }
  });
  await Promise.all(sweeping);
}

/** What the ids of all runs of a date begin with. */
function runsOf({ partitionKey }: RunContext["executionDate"]): string {
  return `${partitionKey}-`;
}
