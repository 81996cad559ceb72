import { allEnded } from "../base/concurrency.js";
import { messageOf, PipelineError } from "../base/errors.js";
import { failpoint } from "../base/failpoints.js";
import { isWritten } from "../models/model.js";
import { KEPT, STAGING, type Zone } from "../zones/zone.js";
import type { RunContext } from "./context.js";

/**
 * Does a run that leaves nothing in staging, neither of its own nor of a run of the same date that has died.
 * @param isKept whether what a run that fails has staged stays for inspection. The message of its fault tells where; the next
 * run of the date that succeeds removes it.
 */
export async function withStaging(
  context: RunContext,
  isKept: boolean,
  run: () => Promise<void>,
): Promise<void> {
  const { activity, executionDate, runId, zones } = context;
  const written = [zones.curated, zones.provision];
  const runsOfDate = `${executionDate.partitionKey}-`;
  failpoint("start recorded");
  await assertReplaceable(context);
  const warn = (message: string) => {
    activity.warn(message);
  };
  // What a server cannot do is told once, although it is asked again at the end.
  await allEnded(written.map((zone) => zone.sweep(STAGING, runsOfDate, warn)));
  failpoint("old staging swept");
  try {
    await run();
    failpoint("run ended");
    await Promise.all(written.map((zone) => sweepAtEnd(context, zone, KEPT, runsOfDate)));
  } catch (error) {
    throw isKept ? withPlaces(error, await keepStaged(context, written)) : error;
  } finally {
    await Promise.all(written.map((zone) => sweepAtEnd(context, zone, STAGING, runId)));
    failpoint("own staging swept");
  }
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
  { activity }: RunContext,
  zone: Zone,
  folder: typeof STAGING | typeof KEPT,
  runs: string,
): Promise<void> {
  try {
    await zone.sweep(folder, runs);
  } catch (error) {
    activity.warn(`${zone.root}/${folder} could not be swept: ${messageOf(error)}`);
  }
}

/** @returns where the files are now. */
async function keepStaged({ activity, runId }: RunContext, zones: readonly Zone[]): Promise<string[]> {
  const places: string[] = [];
  for (const zone of zones) {
    try {
      places.push(...(await zone.keepStaged(runId)));
    } catch (error) {
      activity.warn(`what was staged in ${zone.root} could not be kept: ${messageOf(error)}`);
    }
  }
  return places;
}

function withPlaces(error: unknown, places: readonly string[]): unknown {
  if (places.length === 0 || !(error instanceof PipelineError)) return error;
  const list = places.map((place) => `\n  ${place}`).join("");
  return new PipelineError(error.code, `${error.message}\nwhat was staged is kept:${list}`, {
    cause: error.cause,
    details: error.details,
  });
}
