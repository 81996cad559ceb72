import { allEnded } from "../base/concurrency.js";
import { messageOf, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { isWritten } from "../models/model.js";
import { KEPT, STAGING, type Zone } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/** Checks that a run can replace its partitions, and removes the staged files of a killed run of the same date. */
export async function clearStaging(context: RunContext): Promise<void> {
  const { activity, executionDate, zones } = context;
  failpoint("start recorded");
  await assertReplaceable(context);
  const warn = (message: string) => {
    activity.warn(message);
  };
  // A limit of the server is reported once, although the end of the run checks it again.
  await allEnded(
    [zones.curated, zones.provision].map((zone) => zone.sweep(STAGING, runsOf(executionDate), { warn })),
  );
  failpoint("old staging swept");
}

/** Removes the kept files of failed runs of the date, because one run has succeeded now. */
export async function sweepKept(context: RunContext): Promise<void> {
  failpoint("run ended");
  const runs = runsOf(context.executionDate);
  await atEnd(context, KEPT, (zone) => zone.sweep(KEPT, runs));
}

/** Removes the run's own files from staging. */
export async function sweepOwn(context: EndingRun): Promise<void> {
  await atEnd(context, STAGING, (zone) => zone.sweep(STAGING, context.runId));
  failpoint("own staging swept");
}

/**
 * Removes the files of all runs of the date from staging, after a run that has succeeded. The statement of a killed
 * run can go on at a cluster, and write files after the start of the next run.
 */
export async function sweepAll(context: EndingRun): Promise<void> {
  const { executionDate, lock, runId } = context;
  await atEnd(context, STAGING, async (zone) => {
    const lost: unknown[] = [];
    const assertLocked = () =>
      lock.assertHeld().catch((error: unknown) => {
        lost.push(error);
        throw error;
      });
    try {
      await zone.sweep(STAGING, runsOf(executionDate), { assertLocked });
    } catch (error) {
      if (!lost.includes(error)) throw error;
      // Another run of the date may be in progress.
      await zone.sweep(STAGING, runId);
    }
  });
  failpoint("own staging swept");
}

/** What the end of a run needs of its context. */
type EndingRun = Pick<RunContext, "activity" | "executionDate" | "lock" | "runId" | "zones">;

/**
 * Keeps the staged files of a failed run for inspection. The next successful run of the date removes them.
 * @returns the fault of the run, whose message names the new place of the files.
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
 * Checks that a run can replace its partitions, before it builds any.
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

/** The outcome of the run is decided. The next run of the date removes the files that stay now. */
async function atEnd(
  { activity, zones }: Pick<RunContext, "activity" | "zones">,
  folder: typeof STAGING | typeof KEPT,
  sweep: (zone: Zone) => Promise<void>,
): Promise<void> {
  const sweeping = [zones.curated, zones.provision].map(async (zone) => {
    try {
      await sweep(zone);
    } catch (error) {
      activity.warn(`cannot clean ${zone.root}/${folder}: ${messageOf(error)}`);
    }
  });
  await Promise.all(sweeping);
}

/** The common start of the ids of all runs of a date. */
function runsOf({ partitionKey }: RunContext["executionDate"]): string {
  return `${partitionKey}-`;
}
