import type { Consumption } from "../../consumption/consumption.js";
import { readRunHistory } from "../../consumption/recorded-runs.js";
import type { PipelineRunsTable } from "../../consumption/schema.js";
import type { Publication } from "../../voucher/publication-identity.js";
import { problemOf } from "../http/error-answers.js";
import type { Services } from "../http/services.js";

/** What every page says of the service: which answers it gives, and whether its database and newest run are well. */
export interface ServiceState {
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

/** What a client without a key sees. */
export const UNKNOWN_STATE: ServiceState = {
  now: new Date(0),
  publication: undefined,
  confirmedAt: undefined,
  isAway: false,
  newestRun: undefined,
};

/** Reads the state of the service. */
export async function serviceStateOf(services: Services): Promise<ServiceState> {
  // The first page that is asked for may come before the first look at the database.
  if (services.store.status.confirmedAt === undefined) await unlessAway(services.store.newest());
  const runs = await askUnlessAway(services, (database) => readRunHistory(database, { limit: 1 }));
  const { publication, confirmedAt, isAway } = services.store.status;
  return { now: services.now(), publication, confirmedAt, isAway, newestRun: runs?.[0] };
}

/**
 * Asks the database for what a page can do without.
 * @returns undefined where the database cannot be reached, or is not there yet. The page says so.
 */
export async function askUnlessAway<Answer>(
  { store }: Services,
  question: (database: Consumption) => Promise<Answer>,
): Promise<Answer | undefined> {
  // Nobody waits for a database of which it is known that it is away.
  if (store.status.isAway) return undefined;
  return unlessAway(store.ask(question));
}

/** What was asked for; undefined where the database cannot be reached, or is not there yet. */
export async function unlessAway<Answer>(answer: Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await answer;
  } catch (error) {
    const { type } = problemOf(error);
    if (type === "database-unavailable" || type === "no-publication") return undefined;
    throw error;
  }
}
