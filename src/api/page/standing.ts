import { readRunHistory } from "../../consumption/runs.js";
import type { PipelineRunsTable } from "../../consumption/tables.js";
import type { Publication } from "../../voucher/publication.js";
import type { Services } from "../http/services.js";
import { maybeAsk, unlessAway } from "./maybe-ask.js";

/** How the service stands, as every page says it. */
export interface Standing {
  readonly now: Date;
  /** The publication that answers; undefined where there is none. */
  readonly publication: Publication | undefined;
  /** When the database last confirmed it; undefined where it never has. */
  readonly confirmedAt: Date | undefined;
  /** Whether the database cannot be reached. */
  readonly isAway: boolean;
  /** The run that began last; undefined where there was none, or where the database cannot be asked. */
  readonly newestRun: PipelineRunsTable | undefined;
}

/** What somebody is told who may not know. */
export const UNKNOWN_STANDING: Standing = {
  now: new Date(0),
  publication: undefined,
  confirmedAt: undefined,
  isAway: false,
  newestRun: undefined,
};

/** Looks how the service stands. */
export async function standingOf(services: Services): Promise<Standing> {
  // The first page that is asked for may come before the first look at the database.
  if (services.store.status.confirmedAt === undefined) await unlessAway(services.store.newest());
  const runs = await maybeAsk(services, (database) => readRunHistory(database, { limit: 1 }));
  const { publication, confirmedAt, isAway } = services.store.status;
  return { now: services.now(), publication, confirmedAt, isAway, newestRun: runs?.[0] };
}
